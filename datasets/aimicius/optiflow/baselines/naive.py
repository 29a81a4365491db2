GPU_COUNT = 8
CHUNKS_PER_GPU = 2
# Who can exchange data with whom.
LINKS = {0: [1, 2, 3, 4], 1: [0, 2, 3, 5], 2: [0, 1, 3, 6], 3: [0, 1, 2, 7], 4: [0, 5, 6, 7], 5: [1, 4, 6, 7], 6: [2, 4, 5, 7], 7: [3, 4, 5, 6]}


def generate_plan(gpu_count, chunks_per_gpu):
    """Owner after owner, along a breadth-first tree."""
    plan = []
    for owner in range(gpu_count):
        queue = [owner]
        for src in queue:
            for dst in LINKS[src]:
                if dst not in queue:
                    queue.append(dst)
                    for chunk in range(chunks_per_gpu):
                        plan.append(f"D({owner}, {chunk}): G({src}) => G({dst})")
    return plan


plan = generate_plan(GPU_COUNT, CHUNKS_PER_GPU)
print(plan)
