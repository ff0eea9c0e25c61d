"""A small register and a small Palaver, so that what is said of the broker does not hang on the files in config/."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from broker.settings import (
    CeilingEntry,
    ClientFile,
    DatabaseSettings,
    DemoContact,
    DemoPerson,
    DemoPost,
    DemoThread,
    DemoWorld,
    FeatureFile,
    ForbiddenCombination,
    Lifetimes,
    Limits,
    PartnerFile,
    Register,
    ResourceServerFile,
    Scope,
    Settings,
)
from broker.settings.register import AuthMethod

HTTPS = "https://tuneloop.example/callback"
LOOPBACK = "http://127.0.0.1:8101/callback"


def secret_of(client_id: str) -> str:
    """The secret that a client or resource server has in the files."""
    return f"dev-only-{client_id}-0123456789abcdef"


def _client(client_id: str, name: str, auth: AuthMethod, *redirect_uris: str) -> ClientFile:
    return ClientFile(client_id, name, auth, redirect_uris, None if auth == "none" else secret_of(client_id))


_SCOPES = ("profile:read", "messages:read", "messages:write", "messages:delete", "participants:read", "friends:read",
           "posts:read", "contacts:read")  # fmt: skip
_NEEDS = {"identify": ("profile:read",), "send": ("messages:write",), "read": ("messages:read",),
          "posts": ("posts:read",), "contacts": ("contacts:read",)}  # fmt: skip

SHARE_A_TRACK = FeatureFile(
    id="share-a-track", partner="tuneloop", name="Share a track", purpose="Send a song into a conversation.",
    needs=("send",), state="active", ends_at=None, grant_lifetime_s=None,
    ceiling=(
        CeilingEntry("messages:write", "We post the song that you share."),
        CeilingEntry("profile:read", "We greet you by name.", required=False, beyond_need="A greeting is friendlier."),
    ),
    clients=(
        _client("tuneloop-share", "TuneLoop", "client_secret_basic", HTTPS, LOOPBACK),
        _client("tuneloop-app", "TuneLoop app", "none", "http://127.0.0.1/callback"),
    ),
    file="tuneloop.toml",
)  # fmt: skip
NOW_PLAYING = FeatureFile(
    id="now-playing", partner="tuneloop", name="Now playing", purpose="Show what your posts sound like.",
    needs=("posts",), state="active", ends_at=None, grant_lifetime_s=30 * 86_400,
    ceiling=(CeilingEntry("posts:read", "We look for songs in your posts."),),
    clients=(_client("tuneloop-playing", "TuneLoop", "client_secret_post", HTTPS),),
    file="tuneloop.toml",
)  # fmt: skip
RECOMMEND_A_SHOW = FeatureFile(
    id="recommend-a-show", partner="reelwise", name="Recommend a show", purpose="Recommend a film to your friends.",
    needs=("send", "read"), state="active", ends_at=None, grant_lifetime_s=None,
    ceiling=(
        CeilingEntry("messages:read", "We look for films that you talk about."),
        CeilingEntry("messages:write", "We post what you recommend."),
        CeilingEntry("participants:read", "We say who asked.", required=False, beyond_need="It sounds natural."),
    ),
    clients=(_client("reelwise-recommend", "Reelwise", "client_secret_basic", HTTPS),),
    file="reelwise.toml",
)  # fmt: skip
TRANSFER_NOTICE = FeatureFile(
    id="transfer-notice", partner="northbank", name="Transfer notice", purpose="Say that money is on its way.",
    needs=("send",), state="active", ends_at=None, grant_lifetime_s=None,
    ceiling=(CeilingEntry("messages:write", "We post a notice after a transfer."),),
    clients=(_client("northbank-notice", "Northbank", "client_secret_basic", HTTPS),),
    file="northbank.toml",
)  # fmt: skip

PARTNERS = (
    PartnerFile("tuneloop", "TuneLoop", "https://tuneloop.example", "tuneloop.toml", (SHARE_A_TRACK, NOW_PLAYING)),
    PartnerFile("reelwise", "Reelwise", None, "reelwise.toml", (RECOMMEND_A_SHOW,)),
    PartnerFile("northbank", "Northbank", None, "northbank.toml", (TRANSFER_NOTICE,)),
)
REGISTER = Register(
    scopes={
        name: Scope(name, f"Title of {name}", f"Text of {name}.", f"Example of {name}.", False) for name in _SCOPES
    },
    needs=_NEEDS,
    forbidden=(
        ForbiddenCombination(frozenset({"messages:read", "contacts:read"}), "together they are a file on people"),
    ),
    partners=PARTNERS,
    resource_servers=(
        ResourceServerFile(
            "palaver-search", "Palaver search", ("messages:read", "messages:write"), secret_of("palaver-search")
        ),
    ),
)

PEOPLE = ("alice", "bob", "carol")
OPERATORS = ("ops", "ops2")
DEMO = DemoWorld(
    people=(
        *(DemoPerson(name, name.capitalize(), f"{name}-demo", "user") for name in PEOPLE),
        *(DemoPerson(name, f"Operator {name}", f"{name}-demo", "operator") for name in OPERATORS),
        DemoPerson("tuneloop", "TuneLoop", "tuneloop-demo", "partner", "tuneloop"),
    ),
    threads=(
        DemoThread("Saturday hike", ("alice", "bob", "carol"), (("alice", "Who is in?"), ("bob", "Me!"))),
        DemoThread("Flat 3B", ("alice", "bob"), (("bob", "The plumber comes on Tuesday."),)),
        DemoThread("Reading list", ("bob", "carol"), (("carol", "I finished the lighthouse book."),)),
    ),
    friends=(("alice", "bob"), ("bob", "carol")),
    posts=(DemoPost("alice", "First swim."), DemoPost("alice", "Two chairs, blue."), DemoPost("bob", "Rolls!")),
    contacts=(DemoContact("alice", "Mum", "mum@family.example", "+1 555 0100"),),
)  # fmt: skip

SETTINGS = Settings(
    environment="development", name="Palaver", issuer=None, secret_key=b"tests-0123456789abcdef0123456789abcdef",
    allowed_hosts=("127.0.0.1",), behind_proxy=False, database=DatabaseSettings(), lifetimes=Lifetimes(),
    limits=Limits(), register=REGISTER, demo=DEMO, config_file=Path("palaver.toml"), state_dir=None,
)  # fmt: skip


def proposing(*features: FeatureFile) -> Settings:
    """The settings when the files say this of some features instead (the same id), or beside the others (a new one)."""
    changed = {feature.id: feature for feature in features}
    partners = []
    for partner in PARTNERS:
        known = [changed.pop(feature.id, feature) for feature in partner.features]
        added = [
            changed.pop(feature.id) for feature in features if feature.partner == partner.id and feature.id in changed
        ]
        partners.append(replace(partner, features=(*known, *added)))
    return with_partners(*partners)


def with_partners(*partners: PartnerFile) -> Settings:
    """The settings when the files name these partners and no other."""
    return replace(SETTINGS, register=replace(REGISTER, partners=partners))
