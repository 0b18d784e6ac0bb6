"""`footfall users`: who may use the explorer, and for what. Passwords come from a prompt or standard input only."""

import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from footfall_assets.contracts.access import MOST_DAYS_OF_VISITOR_LIST, Grant, Role, User, Users
from footfall_assets.contracts.errors import UserMistake

if TYPE_CHECKING:
    from collections.abc import Callable

app = typer.Typer(no_args_is_help=True, help="Users of the explorer and what is granted to them.")

_Name = Annotated[str, typer.Argument(help="As an id: 1 to 64 of a-z, 0-9, _ and -.")]


@app.command()
def add(
    name: _Name,
    email: Annotated[str | None, typer.Option(help="Address that your identity provider verifies.")] = None,
    subject: Annotated[str | None, typer.Option(help="`sub` of the user at your identity provider.")] = None,
    password: Annotated[
        bool, typer.Option("--password/--no-password", help="Ask for a password; not with --email or --subject.")
    ] = True,
) -> None:
    """Add a user, who may do nothing yet; for one who is there, set the password or the provider's names anew.

    Example: footfall users add ann
    """
    from footfall_assets.storage.user_store import hash_password

    at_provider = email is not None or subject is not None
    if not at_provider and not password:
        raise UserMistake("expected a password, --email or --subject: without one nobody can sign in as this user")
    kept = hash_password(_read_password()) if password and not at_provider else None

    def changed(users: Users) -> Users:
        known = users.named(name)
        grants = known.grants if known else ()
        return users.with_user(User(name=name, password=kept, email=email, subject=subject, grants=grants))

    _change(changed, f"user {name} set")
    typer.echo(f"{name} can sign in, and may do nothing until something is granted: footfall users grant {name} viewer")


@app.command()
def remove(name: _Name) -> None:
    """Remove a user; what is open in a browser ends with the next click.

    Example: footfall users remove ann
    """

    def changed(users: Users) -> Users:
        _known(users, name)
        return users.without(name)

    _change(changed, f"user {name} removed")
    typer.echo(f"{name} removed")


@app.command("list")
def list_users() -> None:
    """List users and grants; what has ended is marked.

    Example: footfall users list
    """
    from footfall_assets.contracts.settings import load_settings
    from footfall_assets.storage.user_store import read_users

    users = read_users(load_settings().access_dir)
    if users is None:
        typer.echo("no users; a development home is open to whoever reaches it, a production home to nobody")
        return
    now = datetime.now(UTC)
    for user in users.users:
        ways = [
            *(["password"] if user.password else []),
            *(each for each in (user.email, user.subject) if each is not None),
        ]
        typer.echo(f"{user.name}  signs in with: {', '.join(ways)}")
        for grant in user.grants or ():
            typer.echo(f"    {_grant_text(grant, now)}")


@app.command()
def grant(
    name: _Name,
    role: Annotated[Role, typer.Argument(help="What the user may do.")],
    location: Annotated[list[str] | None, typer.Option(help="Location it is for; repeat for more.")] = None,
    all_locations: Annotated[bool, typer.Option("--all-locations", help="For all, also those added later.")] = False,
    days: Annotated[float | None, typer.Option(min=0.001, max=36_500, help="Ends after so many days.")] = None,
    purpose: Annotated[str | None, typer.Option(help="What it is for; visitor_list needs one.")] = None,
) -> None:
    """Grant a role. For the role and locations of a grant that is there, it replaces that one.

    Example: footfall users grant ann visitor_list --location store-101 --days 7 --purpose "complaint of 4 March"
    """
    if bool(location) == all_locations:
        raise UserMistake("expected --location, once or more, or --all-locations, and not both")
    _check_known_locations(location or [])
    if role is Role.VISITOR_LIST and (days is None or purpose is None or days > MOST_DAYS_OF_VISITOR_LIST):
        raise UserMistake(
            f"expected --days of at most {MOST_DAYS_OF_VISITOR_LIST} and --purpose: the list of visitors is for a task"
        )
    until = datetime.now(UTC) + timedelta(days=days) if days else None
    places = None if all_locations else tuple(sorted(set(location or [])))

    def changed(users: Users) -> Users:
        user = _known(users, name)
        made = Grant(role=role, location_ids=places, valid_until=until, purpose=purpose)
        others = (each for each in user.grants if (each.role, each.location_ids) != (made.role, made.location_ids))
        return users.with_user(user.model_copy(update={"grants": (*others, made)}))

    _change(changed, f"{name}: granted {role}", purpose=purpose, places=places)
    granted = Grant(role=role, location_ids=places, valid_until=until, purpose=purpose)
    typer.echo(f"{name}: {_grant_text(granted, datetime.now(UTC))}")


@app.command()
def revoke(
    name: _Name,
    role: Annotated[Role, typer.Argument(help="What the user may not do any more, anywhere.")],
) -> None:
    """Take all grants of a role away; it holds from the next click on.

    Example: footfall users revoke ann visitor_list
    """

    def changed(users: Users) -> Users:
        user = _known(users, name)
        kept = tuple(each for each in user.grants if each.role is not role)
        if kept == user.grants:
            raise UserMistake(f"{name} has no grant as {role}; footfall users list shows the grants")
        return users.with_user(user.model_copy(update={"grants": kept}))

    _change(changed, f"{name}: revoked {role}")
    typer.echo(f"{name}: {role} revoked")


def _change(
    change: "Callable[[Users], Users]",
    what: str,
    *,
    purpose: str | None = None,
    places: tuple[str, ...] | None = None,
) -> None:
    """Change the users; the access log says so first, and where a change is a mistake neither happens."""
    from footfall_assets.contracts.access import Access
    from footfall_assets.contracts.settings import load_settings
    from footfall_assets.storage import open_lake
    from footfall_assets.storage.access_log import AccessLog
    from footfall_assets.storage.user_store import change_users

    settings = load_settings()

    def record() -> object:
        return AccessLog(open_lake(settings), settings.keys_dir).append(
            who="command-line",
            role="operator",
            access=Access.USERS,
            about=what,
            count=1,
            at=datetime.now(UTC),
            lock_folder=settings.home / "locks",
            purpose=purpose,
            scope=" ".join(places)[:200] if places else None,
        )

    change_users(settings.access_dir, change, record=record)


def _known(users: Users, name: str) -> User:
    user = users.named(name)
    if user is None:
        known = ", ".join(each.name for each in users.users) or "none; add one: footfall users add NAME"
        raise UserMistake(f"no user {name[:80]!r}; there are: {known}")
    return user


def _check_known_locations(locations: list[str]) -> None:
    from footfall_assets.contracts.ids import parse_slug
    from footfall_assets.contracts.settings import load_settings
    from footfall_assets.storage import open_lake
    from footfall_assets.storage.registry_store import read_registry

    known = {each.location_id for each in read_registry(open_lake(load_settings())).locations}
    for location in locations:
        if parse_slug(location) not in known:
            raise UserMistake(f"no location {location!r} in the registry; footfall fleet list shows them")


def _read_password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().rstrip("\r\n")


def _grant_text(grant: Grant, now: datetime) -> str:
    places = "all locations" if grant.location_ids is None else ", ".join(grant.location_ids)
    until = "" if grant.valid_until is None else f", until {grant.valid_until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    over = "" if grant.holds(now) else " (over)"
    purpose = f", for: {grant.purpose}" if grant.purpose else ""
    return f"{grant.role} at {places}{until}{over}{purpose}"
