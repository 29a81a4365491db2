GPU_COUNT = 8
CHUNKS_PER_GPU = 2
GROUP = 4


def generate_plan(gpu_count, chunks_per_gpu):
    """The same ranks of the groups exchange what they own; then every GPU sends what it has to its group."""
    across, inside = [], []
    for src in range(gpu_count):
        for far in range(GROUP, gpu_count, GROUP):
            for chunk in range(chunks_per_gpu):
                across.append(f"D({src}, {chunk}): G({src}) => G({(src + far) % gpu_count})")
        first = src // GROUP * GROUP
        for owner in range(src % GROUP, gpu_count, GROUP):
            for chunk in range(chunks_per_gpu):
                for dst in range(first, first + GROUP):
                    if dst != src:
                        inside.append(f"D({owner}, {chunk}): G({src}) => G({dst})")
    plan = [across, inside]
    return plan


plan = generate_plan(GPU_COUNT, CHUNKS_PER_GPU)
print(plan)
