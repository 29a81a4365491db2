# BANDWIDTH is the bandwidth adjacency matrix, a list of lists; every node is a GPU.
GPU_COUNT = 8
CHUNKS_PER_GPU = 2
ORDER = range(GPU_COUNT)  # in which the owners are served
FIRST = None  # the first receiver, counted from the owner; None: receivers by number
BUDGET = float("inf")  # what a link may carry in a round: chunks / (GB/s)
WAIT = False  # wait for a chunk that a better linked GPU gets in this round?


def generate_plan(gpu_count, chunks_per_gpu):
    """Round by round, each missing chunk comes from the holder with the least loaded link."""
    gpus = range(gpu_count)
    held = {(owner, chunk): {owner} for owner in gpus for chunk in range(chunks_per_gpu)}
    plan = []
    while any(len(holders) < gpu_count for holders in held.values()):
        load = {}
        coming = {key: set(holders) for key, holders in held.items()}
        steps = []
        for owner in ORDER:
            for chunk in range(chunks_per_gpu):
                for i in gpus:
                    dst = i if FIRST is None else (owner + FIRST + i) % gpu_count
                    sources = [src for src in held[owner, chunk] if BANDWIDTH[src][dst] > 0]
                    if dst in held[owner, chunk] or not sources:
                        continue
                    busy, src = min(((load.get((s, dst), 0) + 1) / BANDWIDTH[s][dst], s) for s in sources)
                    if steps and busy > BUDGET:
                        continue
                    if WAIT and any(BANDWIDTH[gpu][dst] > BANDWIDTH[src][dst] for gpu in coming[owner, chunk]):
                        continue
                    load[src, dst] = load.get((src, dst), 0) + 1
                    coming[owner, chunk].add(dst)
                    steps.append(f"D({owner}, {chunk}): G({src}) => G({dst})")
        held = coming
        plan.append(steps)
    return plan


plan = generate_plan(GPU_COUNT, CHUNKS_PER_GPU)
print(plan)
