GPU_COUNT = 8
CHUNKS_PER_GPU = 2


def generate_plan(gpu_count, chunks_per_gpu):
    """In each round a GPU exchanges all it has with the one whose number differs in a single bit."""
    plan = []
    block = 1
    while block < gpu_count:
        steps = []
        for src in range(gpu_count):
            first = src // block * block
            for owner in range(first, first + block):
                for chunk in range(chunks_per_gpu):
                    steps.append(f"D({owner}, {chunk}): G({src}) => G({src ^ block})")
        plan.append(steps)
        block *= 2
    return plan


plan = generate_plan(GPU_COUNT, CHUNKS_PER_GPU)
print(plan)
