"""Control flow: branches and loops over subgraphs, run and cached by the engine."""
