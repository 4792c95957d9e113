import top.side
