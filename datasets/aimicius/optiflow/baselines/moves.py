# What a local search changed in that plan, in this order: (round, step, other round, other step) trade places;
# (round, step, GPU) has that GPU as its sender; (round, step) begins a new round; (round,) takes in the next one.
MOVES = []


def change(plan):
    """A list of steps counts as rounds of one step each."""
    rounds = [[step] if isinstance(step, str) else step for step in plan]
    for move in MOVES:
        a = move[0]
        if len(move) == 4:
            i, b, j = move[1:]
            rounds[a][i], rounds[b][j] = rounds[b][j], rounds[a][i]
        elif len(move) == 3:
            i, src = move[1:]
            what, way = rounds[a][i].split(": ")
            dst = way.split(" => ")[1]
            rounds[a][i] = f"{what}: G({src}) => {dst}"
        elif len(move) == 2:
            rounds[a:a + 1] = [rounds[a][:move[1]], rounds[a][move[1]:]]
        else:
            rounds[a:a + 2] = [rounds[a] + rounds[a + 1]]
    if isinstance(plan[0], str):
        return [step for steps in rounds for step in steps]
    return rounds


plan = change(plan)
