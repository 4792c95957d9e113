import top.middle.bottom.leaf
