"""Between our nodes and LlamaIndex's."""

from llama_index.core.schema import MetadataMode, NodeWithScore, TextNode

from protocol.values import Node

LINK_KEYS = ("url", "source", "file_path", "file_name")
TITLE_KEYS = ("title", "file_name", "url")


def to_llama(node: Node, place: int) -> NodeWithScore:
    """The node as LlamaIndex knows it; title, url and picture are its metadata.

    Its place among its like makes its id: the random one that it would get costs more than all
    the rest, and of nodes with the same id LlamaIndex keeps one.
    """
    metadata = {"title": node.title, "url": node.url}
    if node.img_src is not None:
        metadata["img_src"] = node.img_src
    name = f"{place} {node.url}"
    found = TextNode(id_=name, text=node.text, metadata=metadata)
    return NodeWithScore(node=found, score=node.score)


def from_llama(found: NodeWithScore) -> Node:
    """A node of any LlamaIndex retriever; what names its source becomes title and url."""
    metadata = found.node.metadata
    link = _first(metadata, LINK_KEYS) or found.node.node_id
    return Node(
        text=found.node.get_content(MetadataMode.NONE),
        title=_first(metadata, TITLE_KEYS) or link,
        url=link,
        score=found.score,
        img_src=_first(metadata, ("img_src",)) or None,
    )


def _first(metadata: dict[str, object], keys: tuple[str, ...]) -> str:
    return next((v for key in keys if isinstance(v := metadata.get(key), str) and v), "")
