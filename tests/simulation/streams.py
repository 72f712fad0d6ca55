def names(): return []
def play(n): return ""
