"""(map of this room)"""
