"""(says what this folder is for and what it may import)"""
