"""What the chat model is asked for beside an answer; the names in braces are put in later."""

from collections.abc import Mapping

from protocol.extras import MediaKind

_MEDIA = """
You prepare searches for {what}. Below are a conversation and the message that follows it. Write the
search query that finds {what} of what the message is about: a few words that can be understood
without the conversation, with names in place of "it" or "there", in the language of the message.

Reply with the query in <question> tags and nothing else.

Examples:
Message: What does a heat pump look like inside?
<question>inside of a heat pump</question>
Message: How do I tie a bowline?
<question>tying a bowline knot</question>

The conversation so far:
<conversation>
{history}
</conversation>

Message: {question}
"""

MEDIA_PROMPTS: Mapping[MediaKind, str] = {
    "images": _MEDIA.replace("{what}", "pictures"),
    "videos": _MEDIA.replace("{what}", "videos"),
}

SUGGESTIONS_PROMPT = """
Below is a conversation between a user and an assistant that searches the web. Think of four or five
questions that the user may well want to ask next. Each leads further than what was said already, is
of middle length, can be understood by itself, and is in the language of the conversation.

Reply with the questions between <suggestions> tags, one a line, without numbers, and nothing else:
<suggestions>
How much power does a heat pump need in winter?
Which heat pumps are quiet enough for a terraced house?
</suggestions>

The conversation:
<conversation>
{history}
</conversation>
"""
