# BANDWIDTH is the bandwidth adjacency matrix, a list of lists: the GPUs first, then the nodes that forward.
GPU_COUNT = 8
CHUNKS_PER_GPU = 2
ORDER = range(GPU_COUNT)  # in which the owners are served
FIRST = None  # the first receiver, counted from the owner; None: receivers by number
BUDGET = float("inf")  # what a link may carry in a round: chunks / (GB/s)
WAIT = False  # wait for a chunk that a better linked GPU gets in this round?


def route(src, dst, gpu_count):
    """The links from src to dst: the direct one, else the fewest through switches, bridges and NICs."""
    ways = [[src]]
    for way in ways:
        if BANDWIDTH[way[-1]][dst] > 0:
            nodes = way + [dst]
            return list(zip(nodes, nodes[1:]))
        for node in range(gpu_count, len(BANDWIDTH)):
            if node not in way and BANDWIDTH[way[-1]][node] > 0:
                ways.append(way + [node])
    return []


def generate_plan(gpu_count, chunks_per_gpu):
    """Round by round, each missing chunk comes from the holder with the least loaded route."""
    gpus = range(gpu_count)
    routes = {(a, b): route(a, b, gpu_count) for a in gpus for b in gpus if a != b}
    speed = {pair: min((BANDWIDTH[a][b] for a, b in links), default=0) for pair, links in routes.items()}
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
                    sources = [src for src in held[owner, chunk] if src != dst and speed[src, dst] > 0]
                    if dst in held[owner, chunk] or not sources:
                        continue
                    busy, src = min((max((load.get((a, b), 0) + 1) / BANDWIDTH[a][b] for a, b in routes[s, dst]), s) for s in sources)
                    if steps and busy > BUDGET:
                        continue
                    if WAIT and any(speed[gpu, dst] > speed[src, dst] for gpu in coming[owner, chunk]):
                        continue
                    for link in routes[src, dst]:
                        load[link] = load.get(link, 0) + 1
                    coming[owner, chunk].add(dst)
                    steps.append(f"D({owner}, {chunk}): G({src}) => G({dst})")
        held = coming
        plan.append(steps)
    return plan


plan = generate_plan(GPU_COUNT, CHUNKS_PER_GPU)
print(plan)
