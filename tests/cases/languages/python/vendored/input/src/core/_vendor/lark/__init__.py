from lark import tree
