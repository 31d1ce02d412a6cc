"""From text to the model IR: read, parse, resolve names, check units and rules, build; and the formatter."""
