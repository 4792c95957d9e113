import lark.tree
