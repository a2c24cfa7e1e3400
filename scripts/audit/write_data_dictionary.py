"""Write docs/data-dictionary.md from the contracts of the tables."""

from prevalence.contracts.dictionary import data_dictionary
from prevalence.files import write_text

if __name__ == "__main__":
    write_text(data_dictionary(), "docs/data-dictionary.md")
