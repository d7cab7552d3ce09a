"""Writing and reading: expectations, order, subscribers, callers that go away. Both stores, the same tests."""

import asyncio
from pathlib import Path

import pytest
from tests.storage.support import rounds, run, value

from kajitori.storage import Event, Exists, Item, Mismatch, Store, StoreClosed, open_store


@pytest.fixture(params=["file", "memory"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    return tmp_path / "state.db" if request.param == "file" else None


def test_a_write_is_seen_by_reads_from_its_return_on(path: Path | None) -> None:  # S1
    async def body(store: Store) -> None:
        assert store.get("/pods", "default/a") is None
        made = await store.put("/pods", "default/a", value("one"), expect=0)
        assert made == Item("default/a", b"one@1", 1, 1)
        assert store.get("/pods", "default/a") == made
        changed = await store.put("/pods", "default/a", value("two"), expect=1)
        assert changed == Item("default/a", b"two@2", 2, 1)
        assert store.range("/pods") == [changed]
        assert store.revision == 2
        final = await store.delete("/pods", "default/a", value("gone"), expect=2)
        assert final == Item("default/a", b"gone@3", 3, 1)
        assert store.get("/pods", "default/a") is None
        assert store.revision == 3

    run(path, body)


def test_a_deletion_without_render_keeps_the_last_bytes(path: Path | None) -> None:
    async def body(store: Store) -> None:
        await store.put("/pods", "a", value("one"), expect=None)
        assert await store.delete("/pods", "a", None, expect=None) == Item("a", b"one@1", 2, 1)

    run(path, body)


def test_nobody_sees_a_write_before_its_commit(tmp_path: Path) -> None:  # S1
    async def body(store: Store) -> None:
        write = asyncio.ensure_future(store.put("/pods", "a", value("one"), expect=0))
        await asyncio.sleep(0)  # It is handed over now, and its commit takes a thread and a disk.
        assert store.get("/pods", "a") is None
        assert store.range("/pods") == [] and store.count("/pods") == 0
        assert store.history(0) == []
        assert store.revision == 0
        await write
        assert store.revision == 1

    run(tmp_path / "state.db", body)


def test_expectations(path: Path | None) -> None:  # S3
    async def body(store: Store) -> None:
        with pytest.raises(Mismatch) as missing:
            await store.put("/pods", "a", value("x"), expect=7)
        assert missing.value.current is None
        with pytest.raises(Mismatch) as nothing:
            await store.delete("/pods", "a", None, expect=None)
        assert nothing.value.current is None
        assert store.revision == 0

        one = await store.put("/pods", "a", value("one"), expect=0)
        with pytest.raises(Exists) as exists:
            await store.put("/pods", "a", value("x"), expect=0)
        assert exists.value.item == one
        with pytest.raises(Mismatch) as stale:
            await store.put("/pods", "a", value("x"), expect=9)
        assert stale.value.current == one
        with pytest.raises(Mismatch) as stale:
            await store.delete("/pods", "a", None, expect=9)
        assert stale.value.current == one
        assert (await store.put("/pods", "a", value("two"), expect=None)).revision == 2

    run(path, body)


def test_of_many_writes_on_one_state_one_passes(path: Path | None) -> None:  # S3
    async def body(store: Store) -> None:
        first = await store.put("/pods", "a", value("0"), expect=0)
        outcomes = await asyncio.gather(
            *(store.put("/pods", "a", value(str(n)), expect=first.revision) for n in range(20)),
            return_exceptions=True,
        )
        won = [outcome for outcome in outcomes if isinstance(outcome, Item)]
        lost = [outcome for outcome in outcomes if isinstance(outcome, Mismatch)]
        assert len(won) == 1 and len(lost) == 19
        assert all(each.current == won[0] for each in lost)

    run(path, body)


def test_writes_of_one_name_build_on_each_other_in_order(path: Path | None) -> None:  # S3
    async def body(store: Store) -> None:
        events: list[Event] = []
        store.subscribe("/pods", events.append)
        await asyncio.gather(*(store.put("/pods", "a", value(str(n)), expect=None) for n in range(10)))
        assert [event.item.value for event in events] == [f"{n}@{n + 1}".encode() for n in range(10)]
        assert [event.previous for event in events[1:]] == [event.item for event in events[:-1]]
        assert events[0].previous is None
        assert {event.item.created for event in events} == {1}

    run(path, body)


def test_a_name_deleted_and_created_in_one_breath(path: Path | None) -> None:
    async def body(store: Store) -> None:
        await store.put("/pods", "a", value("old"), expect=0)
        final, made = await asyncio.gather(
            store.delete("/pods", "a", None, expect=1), store.put("/pods", "a", value("new"), expect=0)
        )
        assert (final.revision, made.revision, made.created) == (2, 3, 3)

    run(path, body)


def test_render_failing_fails_only_its_caller(path: Path | None) -> None:  # S7
    def broken(revision: int) -> bytes:
        raise ValueError(f"cannot render {revision}")

    async def body(store: Store) -> None:
        bad, good = await asyncio.gather(
            store.put("/pods", "a", broken, expect=0),
            store.put("/pods", "b", value("b"), expect=0),
            return_exceptions=True,
        )
        assert isinstance(bad, ValueError)
        assert good == Item("b", b"b@1", 1, 1)
        assert (await store.put("/pods", "a", value("a"), expect=0)).revision == 2

    run(path, body)


def test_a_name_that_is_no_text_fails_only_its_caller(path: Path | None) -> None:  # S7
    async def body(store: Store) -> None:
        bad, good = await asyncio.gather(
            store.put("/pods", "\ud800", value("a"), expect=0),
            store.put("/pods", "ü", value("b"), expect=0),
            return_exceptions=True,
        )
        assert isinstance(bad, UnicodeEncodeError)
        assert isinstance(good, Item)

    run(path, body)


def test_revisions_follow_the_order_of_the_writes(path: Path | None) -> None:  # S2
    async def body(store: Store) -> None:
        rendered: list[int] = []

        def render(revision: int) -> bytes:
            rendered.append(revision)
            return b"{}"

        items = await asyncio.gather(*(store.put("/pods", f"p{n}", render, expect=0) for n in range(100)))
        assert rendered == [item.revision for item in items] == list(range(1, 101))

    run(path, body)


def test_subscribers_hear_of_their_bucket_in_order_and_before_the_writer(path: Path | None) -> None:  # S4
    async def body(store: Store) -> None:
        heard: list[str] = []
        store.subscribe("/pods", lambda event: heard.append(f"pods {event.revision}"))
        stop = store.subscribe("", lambda event: heard.append(f"all {event.revision}"))

        async def write(bucket: str, name: str) -> None:
            item = await store.put(bucket, name, value(name), expect=0)
            heard.append(f"done {item.revision}")

        await write("/pods", "a")
        assert heard == ["pods 1", "all 1", "done 1"]
        heard.clear()
        await asyncio.gather(write("/pods", "b"), write("/nodes", "n"), write("/pods", "c"))
        told = [line for line in heard if not line.startswith("done")]
        assert told == ["pods 2", "all 2", "all 3", "pods 4", "all 4"]
        assert all(heard.index(f"all {n}") < heard.index(f"done {n}") for n in (2, 3, 4))
        stop()
        stop()
        heard.clear()
        await store.delete("/pods", "a", None, expect=None)
        assert heard == ["pods 5"]

    run(path, body)


def test_a_subscriber_sees_the_store_at_the_events_revision(path: Path | None) -> None:  # S4
    async def body(store: Store) -> None:
        seen: list[tuple[int, int, int]] = []
        store.subscribe("", lambda event: seen.append((event.revision, store.revision, store.count("/pods"))))
        await asyncio.gather(*(store.put("/pods", f"p{n}", value(""), expect=0) for n in range(5)))
        assert seen == [(n, n, n) for n in range(1, 6)]

    run(path, body)


def test_subscribing_and_unsubscribing_inside_a_callback(path: Path | None) -> None:  # S4, S5
    async def body(store: Store) -> None:
        late: list[int] = []
        never: list[int] = []

        def first(event: Event) -> None:
            stop_never()
            if event.revision == 2:
                late.extend(each.revision for each in store.history(0, "/pods"))
                store.subscribe("/pods", lambda event: late.append(event.revision))

        store.subscribe("/pods", first)
        stop_never = store.subscribe("/pods", lambda event: never.append(event.revision))
        await asyncio.gather(*(store.put("/pods", f"p{n}", value(""), expect=0) for n in range(5)))
        assert late == [1, 2, 3, 4, 5]
        assert never == []

    run(path, body)


def test_a_subscriber_that_fails_disturbs_nobody(path: Path | None, caplog: pytest.LogCaptureFixture) -> None:
    async def body(store: Store) -> None:
        heard: list[int] = []

        def broken(event: Event) -> None:
            raise RuntimeError("broken subscriber")

        store.subscribe("/pods", broken)
        store.subscribe("/pods", lambda event: heard.append(event.revision))
        assert (await store.put("/pods", "a", value(""), expect=0)).revision == 1
        assert heard == [1]
        assert "a subscriber failed" in caplog.text and "broken subscriber" in caplog.text

    run(path, body)


def test_cancelled_callers_disturb_nobody(tmp_path: Path) -> None:  # S8
    async def body(store: Store) -> None:
        first = asyncio.ensure_future(store.put("/pods", "a", value("first"), expect=0))
        second = asyncio.ensure_future(store.put("/pods", "a", value("second"), expect=None))
        third = asyncio.ensure_future(store.put("/pods", "a", value("third"), expect=None))
        await asyncio.sleep(0)
        first.cancel()  # Its commit is under way.
        second.cancel()  # It waits for the first.
        assert (await third).value == b"third@2"
        assert first.cancelled() and second.cancelled()
        assert [event.item.value for event in store.history(0)] == [b"first@1", b"third@2"]

    run(tmp_path / "state.db", body)


def test_close_finishes_what_was_written_and_refuses_the_rest(path: Path | None) -> None:
    async def main() -> None:
        store = await open_store(path)
        writes = [asyncio.ensure_future(store.put("/pods", f"p{n}", value(""), expect=0)) for n in range(50)]
        await rounds(1)
        await asyncio.gather(store.close(), store.close())
        assert sorted(item.revision for item in await asyncio.gather(*writes)) == list(range(1, 51))
        with pytest.raises(StoreClosed):
            await store.put("/pods", "late", value(""), expect=0)
        with pytest.raises(StoreClosed):
            await store.delete("/pods", "p1", None, expect=None)
        with pytest.raises(StoreClosed):
            await store.compact(1)
        await store.close()

    asyncio.run(main())


def test_range_pages_through_a_prefix(path: Path | None) -> None:  # H1
    async def body(store: Store) -> None:
        names = ["a/1", "a/2", "a/3", "a0/1", "b/1", "é/1"]
        for name in reversed(names):
            await store.put("/pods", name, value(name), expect=0)

        def listed(prefix: str = "", after: str = "", limit: int = 0) -> list[str]:
            return [item.name for item in store.range("/pods", prefix, after=after, limit=limit)]

        assert listed() == names
        assert listed("a/") == ["a/1", "a/2", "a/3"]
        assert listed("a/", limit=2) == ["a/1", "a/2"]
        assert listed("a/", after="a/2", limit=2) == ["a/3"]
        assert listed("a/", after="zzz") == []
        assert listed(after="a/3", limit=2) == ["a0/1", "b/1"]
        assert listed("é") == ["é/1"]
        assert (store.count("/pods"), store.count("/pods", "a/"), store.count("/none")) == (6, 3, 0)
        assert store.range("/none") == []

    run(path, body)


def test_buckets_are_those_with_items(path: Path | None) -> None:
    async def body(store: Store) -> None:
        store.subscribe("/events", lambda event: None)
        await store.put("/pods", "a", value(""), expect=0)
        await store.put("apps/deployments", "a", value(""), expect=0)
        assert store.buckets() == ["/pods", "apps/deployments"]
        await store.delete("/pods", "a", None, expect=None)
        assert store.buckets() == ["apps/deployments"]

    run(path, body)
