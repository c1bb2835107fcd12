"""From a signal to a code to a class: dictionaries and decoders."""
