def renumber(plan):
    """The same plan for the machine with other numbers: GPU i is GPU NUMBERS[i] there."""
    if isinstance(plan, list):
        return [renumber(part) for part in plan]
    parts = plan.replace("D(", "G(").split("G(")
    owner, src, dst = (part.replace(",", ")").split(")")[0] for part in parts[1:])
    chunk = parts[1].split(")")[0].split(",")[1]
    return f"D({NUMBERS[int(owner)]},{chunk}): G({NUMBERS[int(src)]}) => G({NUMBERS[int(dst)]})"


plan = renumber(plan)
