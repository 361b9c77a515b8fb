"""Where the tensors of each component are in a file, whatever its layout: prefixes and names of all kinds.

Every function takes names and shapes of a whole file and gives the sources of one component under the
names of our networks: those of the original checkpoints, for text encoders those of Hugging Face.
"""

from nodegraph.modelfiles.layouts.autoencoder import autoencoder
from nodegraph.modelfiles.layouts.denoiser import candidates
from nodegraph.modelfiles.layouts.text import encoder_kind, text_encoder

__all__ = ["autoencoder", "candidates", "encoder_kind", "text_encoder"]
