"""Configuration: files and environment, read and validated once, handed on as frozen objects.

``load`` is the door. Each file has a module that reads it (``main_file``, ``scopes_file``, ``partner_file``,
``demo_file``) by way of ``reader``, which notes every problem with its file and key. The shapes are in ``settings``,
``register`` and ``demo``; what a configuration must not say as a whole is in ``production``.
"""

from broker.settings.demo import DemoContact, DemoPerson, DemoPost, DemoThread, DemoWorld
from broker.settings.errors import ConfigError, Problem
from broker.settings.loader import DEVELOPMENT, load
from broker.settings.partner_file import MAX_PURPOSE, MAX_REASON
from broker.settings.production import problems_with_binding, unsafe_defaults
from broker.settings.register import (
    CeilingEntry,
    ClientFile,
    FeatureFile,
    ForbiddenCombination,
    PartnerFile,
    Register,
    ResourceServerFile,
    Scope,
)
from broker.settings.rules import MAX_GRANT_S, problem_with_database_url
from broker.settings.settings import DatabaseSettings, Lifetimes, Limits, Settings

__all__ = [
    "DEVELOPMENT",
    "MAX_GRANT_S",
    "MAX_PURPOSE",
    "MAX_REASON",
    "CeilingEntry",
    "ClientFile",
    "ConfigError",
    "DatabaseSettings",
    "DemoContact",
    "DemoPerson",
    "DemoPost",
    "DemoThread",
    "DemoWorld",
    "FeatureFile",
    "ForbiddenCombination",
    "Lifetimes",
    "Limits",
    "PartnerFile",
    "Problem",
    "Register",
    "ResourceServerFile",
    "Scope",
    "Settings",
    "load",
    "problem_with_database_url",
    "problems_with_binding",
    "unsafe_defaults",
]
