"""Nodes on their way to LlamaIndex and back."""

from protocol.values import Node
from retrieval.conversion import from_llama, to_llama

NODE = Node("text", "title", "https://a.example/", 0.5, "https://a.example/p.png")


def test_a_node_comes_back_as_it_was() -> None:
    """With its score and its picture."""
    assert from_llama(to_llama(NODE, 0)) == NODE


def test_equal_nodes_have_ids_of_their_own() -> None:
    """Their places tell them apart."""
    ids = [to_llama(NODE, place).node.node_id for place in (0, 1, 1)]
    assert ids[0] != ids[1] == ids[2]
