"""Agents that are called by their role in a talk ("user", "assistant") and not by a name.

A role's name is an everyday word: a question that has it means its own matter ("what does the user
table hold?"), and who is called so is one of two.
"""

import re

from pinak_ray.language.names import folded

__all__ = ["is_asking", "is_role", "only_asks"]

_ASKING = frozenset({
    "client", "customer", "end user", "guest", "human", "me", "myself", "user",
    "anwender", "benutzer", "nutzer", "utilisateur", "usuario", "usuária", "usuário", "utente",
    "gebruiker", "användare", "bruger", "bruker", "użytkownik", "uživatel", "kullanıcı",
    "пользователь", "человек", "користувач", "用户", "使用者", "ユーザー", "사용자",
    "उपयोगकर्ता", "مستخدم", "المستخدم", "משתמש", "ผู้ใช้", "người dùng", "pengguna",
})  # fmt: skip
_ANSWERING = frozenset({
    "agent", "ai", "assistant", "bot", "chatbot", "copilot", "developer", "function", "llm",
    "model", "system", "tool", "assistent", "asistente", "assistente", "asystent", "asistan",
    "ассистент", "помощник", "асистент", "помічник", "助手", "助理", "アシスタント", "어시스턴트",
    "सहायक", "مساعد", "المساعد", "עוזר", "ผู้ช่วย", "trợ lý", "asisten",
})  # fmt: skip
_QUESTION_MARKS = ("?", "？", "؟")
# "user-42", "user 7", "human_3f2a": of several users each has a number.
_NUMBER = re.compile(r"[\W_]*\d[\w-]*\Z")


def is_asking(agent: str) -> bool:
    """Tell whether an agent's name says that a human being writes under it ("user", "user:ada")."""
    return _role(agent.partition(":")[0]) in _ASKING


def only_asks(agent: str, content: str) -> bool:
    """Tell whether an entry is a question that an entry of somebody else answers.

    Whoever uses an assistant says what is so first, and asks then ("I use Flask 2.3. How ...?").
    """
    return content.rstrip().endswith(_QUESTION_MARKS) and not is_asking(agent)


def is_role(agent: str) -> bool:
    """Tell whether an agent's name is a mere role, with or without a number."""
    return _role(agent) in _ASKING | _ANSWERING


def _role(name: str) -> str:
    return _NUMBER.sub("", folded(name)).replace("_", " ").replace("-", " ")
