"""What the files of CLIP's tokenizer are called, everywhere."""

VOCABULARY, MERGES = "vocab.json", "merges.txt"
