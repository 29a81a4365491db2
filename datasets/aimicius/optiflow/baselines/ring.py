GPU_COUNT = 8
CHUNKS_PER_GPU = 2
RING = [0, 1, 3, 2, 6, 7, 5, 4]


def generate_plan(gpu_count, chunks_per_gpu):
    """Every GPU passes on round the ring what came in the round before, its own chunks first."""
    plan = []
    for back in range(gpu_count - 1):
        steps = []
        for i in range(gpu_count):
            owner, src, dst = RING[i - back], RING[i], RING[(i + 1) % gpu_count]
            for chunk in range(chunks_per_gpu):
                steps.append(f"D({owner}, {chunk}): G({src}) => G({dst})")
        plan.append(steps)
    return plan


plan = generate_plan(GPU_COUNT, CHUNKS_PER_GPU)
print(plan)
