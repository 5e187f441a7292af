"""Terms: what is asked in one form is found in another, in any language."""

import unicodedata

import pytest

from pinak_ray.language.analysis import MAX_TERM, query_terms, terms


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("00613", "ORA-00613: no transaction"),
        ("parse config", "parseConfigFile failed"),
        ("parseconfigfile", "parseConfigFile failed"),
        ("parse_config_file", "parseConfigFile failed"),
        ("stripe-secret-key", "STRIPE_SECRET_KEY is unset"),
        ("docs.example.net", "see https://docs.example.net/guide?page=3"),
        ("admin@example.net", "ask <admin@example.net>."),
        ("sshd_config", "change /etc/ssh/sshd_config, then reload"),
        ("4.11.0", "pinned to v4.11.0-beta.2"),
        ("eu-north-2", "host web-3.eu-north-2.internal"),
        ("urls", "all URLs"),
        ("url", "all URLs"),
        ("db 12", "db12 is down"),
        ("wifi", "the Wi-Fi is down"),
        ("12500", "12,500 rows"),
        ("e3b0c44", "commit e3b0c44298fc1c149afbf4c8996fb92427ae41e4"),
        ("7 GB", "it takes 7GB"),
        ("F#", "written in F#, not in C"),
        ("g++", "compiled with g++"),
        ("-xzf", "tar -xzf all.tgz"),
        ("$HOME", "echo $HOME"),
        ("#77", "fixed by #77"),
        ("99%", "disk at 99%"),
        ("🦜", "the bird🦜 sings"),
        ("🇯🇵", "from 🇯🇵🇩🇪"),
        ("€", "costs 5€"),
    ],
)
def test_identifiers_and_symbols_are_found_by_their_parts(asked: str, said: str) -> None:
    """Each term of the question is one of the text."""
    assert query_terms(asked)
    assert set(query_terms(asked)) <= set(terms(said))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("部署", "我们昨天把服务部署到生产环境"),
        ("猫", "我家有一只黑猫"),
        ("障害", "本番のデータベースで障害が発生した"),
        ("データ", "本番のデータベースで障害が発生した"),
        ("ﾃﾞｰﾀ", "本番のデータベース"),
        ("영화", "어제 영화를 봤다"),
        ("책", "책을 샀다"),
        ("ประชุม", "พรุ่งนี้มีประชุมตอนเช้า"),
        ("ປະຊຸມ", "ມື້ອື່ນມີປະຊຸມ"),
        ("ប្រជុំ", "ស្អែកមានប្រជុំ"),
        ("резервных копий", "резервная копия готова"),
        ("Все ёлки", "каждая ёлка и елка"),
        ("الكتاب", "قرأت كتاب جديد"),
        ("किताबों", "यह किताब अच्छी है"),
        ("ΚΑΛΗΜΕΡΑ", "καλημέρα σε όλους"),
        ("strasse", "die Straße ist gesperrt"),
        ("zurich", "Flug nach Zürich"),
        ("ecole", "l’école est fermée"),
        ("istanbul", "İSTANBUL'da toplantı"),
        ("ha noi", "họp ở Hà Nội"),
        ("nội", "họp ở Hà Nội"),
        ("lodz", "spotkanie w Łodzi, nie: Łódź"),
        ("שלום", "שָׁלוֹם"),
        ("١٢٣", "gate 123"),
        ("ＡＰＩ", "the API"),
        ("ﬁle", "the file"),
        ("no\u00adhyphen", "nohyphen"),
        ("zero\u200bwidth", "zerowidth"),
    ],
)
def test_words_of_any_language_are_found(asked: str, said: str) -> None:
    """In another form, width, composition or case, and without the marks that many leave out."""
    for form in ("NFC", "NFD"):
        found = terms(unicodedata.normalize(form, said))
        assert query_terms(asked)
        assert set(query_terms(unicodedata.normalize(form, asked))) <= set(found)


def test_what_differs_in_a_sign_that_counts_is_told_apart() -> None:
    """Each pair has a term that the other lacks."""
    for one, other in [
        ("5 mW", "5 MW"),
        ("IT", "it"),
        ("Go", "go"),
        ("C++", "C"),
        ("rm -rf", "rm rf"),
        ("10²", "102"),
        ("Foo™", "FooTM"),
        ("2026-11", "202611"),
        ("1-5", "15"),
        ("nội", "nói"),
    ]:
        assert set(terms(one)) != set(terms(other)), (one, other)


def test_stop_words_are_left_out_unless_nothing_else_is_there() -> None:
    """A question of stop words alone asks for them; a memory of them alone has them."""
    assert terms("where is the cat") == ["cat"]
    assert terms("to be or not to be") == ["to", "be", "or", "not", "to", "be"]
    assert terms("у меня кошка") == terms("кошка")
    assert terms("") == terms(" \n ") == []


def test_a_namespace_may_name_its_languages() -> None:
    """The first of a script stems its words; the stop words of all are left out."""
    assert terms("die Häuser der Stadt", ("de",)) == terms("Haus Stadt", ("de",))
    assert terms("las organizaciones", ("es",)) == terms("organización", ("es",))
    assert terms("le chat and la ville", ("fr", "en")) == terms("chat ville", ("fr", "en"))
    assert terms("робота", ("uk",)) == ["робота"]
    assert terms("houses", ("xx",)) == terms("houses")


def test_a_term_has_an_end_and_terms_come_in_order_with_repeats() -> None:
    """A longer run is cut, and found again by the same run."""
    assert terms("cat dog cat") == ["cat", "dog", "cat"]
    for run in ("x" * 5000, "9f" * 5000, "a_" * 5000, "ạ" * 5000, "게" * 5000, "a-b." * 5000):
        assert max(map(len, terms(run))) <= MAX_TERM
        assert max(len(term.encode()) for term in terms(run)) <= 2046
        assert set(query_terms(run)) <= set(terms(f"it said {run}"))
