GPU_COUNT = 8
CHUNKS_PER_GPU = 2


def generate_plan(gpu_count, chunks_per_gpu):
    """One round: every owner sends all its chunks to everybody, the next GPU first."""
    steps = []
    for far in range(1, gpu_count):
        for owner in range(gpu_count):
            for chunk in range(chunks_per_gpu):
                steps.append(f"D({owner}, {chunk}): G({owner}) => G({(owner + far) % gpu_count})")
    plan = [steps]
    return plan


plan = generate_plan(GPU_COUNT, CHUNKS_PER_GPU)
print(plan)
