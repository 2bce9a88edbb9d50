"""From the saved read to the receiver: in order, at least once, across restarts of either."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from edge_client.config.events import EventSettings
from edge_client.errors import ConfigError
from edge_client.outbox.box import QueuedEvent
from edge_client.outbox.courier import Courier
from edge_client.outbox.office import open_office
from edge_client.outbox.receiver import DeliveryError
from edge_client.store.writer import SqliteReads
from tests.edge_client.outbox.deliveries import held, kinds, live, opened
from tests.edge_client.outbox.servers import Inbox, free_port, mqtt_broker, web_server
from tests.edge_client.outbox.test_mqtt import listening
from tests.edge_client.samples import read


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_client.outbox.courier._FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr("edge_client.outbox.courier._OTHERS_S", 0.02)


def test_all_events_arrive_in_order_with_keys_of_their_own(tmp_path: Path) -> None:
    with web_server(Inbox()) as inbox:
        store, office = opened(tmp_path / "reads.db", webhooks=[inbox.url])
        for uid in ("a", "b"):
            live(store, uid)
        events = inbox.wait_for(6)
        office.close(5)
        assert store.events() == (0, 0)
        store.close()
    assert kinds(events, "a") == kinds(events, "b") == ["new", "update", "end"]
    assert len({event["id"] for event in events}) == 6


def test_a_receiver_that_fails_gets_all_again_in_order(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with web_server(Inbox()) as inbox, caplog.at_level(logging.WARNING):
        inbox.answers = [(503, {}), (500, {}), (204, {}), (503, {})]
        store, office = opened(tmp_path / "reads.db", webhooks=[inbox.url])
        live(store, "a")
        assert kinds(inbox.wait_for(3), "a") == ["new", "update", "end"]
        office.close(5)
        store.close()
    assert "events for the webhook at 127.0.0.1 wait: it answered 503" in caplog.text
    assert "takes events again" in caplog.text


def test_an_event_that_is_refused_is_counted_and_the_others_arrive(tmp_path: Path) -> None:
    with web_server(Inbox()) as inbox:
        inbox.answers = [(204, {}), (422, {})]
        store, office = opened(tmp_path / "reads.db", webhooks=[inbox.url])
        live(store, "a")
        assert kinds(inbox.wait_for(2), "a") == ["new", "end"]
        office.close(5)
        assert store.events() == (0, 1)
        store.close()


def test_what_waited_is_delivered_after_a_restart_of_the_device_and_of_the_receiver(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/hook"
    program = textwrap.dedent("""
        import os, sys
        from pathlib import Path
        from tests.edge_client.outbox.deliveries import live, opened
        store, office = opened(Path(sys.argv[1]), webhooks=[sys.argv[2]])
        live(store, "before")
        os._exit(9)
    """)
    killed = subprocess.run([sys.executable, "-c", program, str(tmp_path / "reads.db"), url], check=False, timeout=60)
    assert killed.returncode == 9
    store, office = opened(tmp_path / "reads.db", webhooks=[url])
    live(store, "after")
    assert store.events() == (6, 0)
    with web_server(Inbox(), port) as inbox:
        events = inbox.wait_for(6)
    office.close(5)
    store.close()
    assert [event["track"] for event in events] == ["before"] * 3 + ["after"] * 3
    assert kinds(events, "before") == ["new", "update", "end"]


def test_a_broker_that_restarts_misses_nothing(tmp_path: Path) -> None:
    path, port = tmp_path / "reads.db", free_port()
    store, office = opened(path, mqtt_host="127.0.0.1", mqtt_port=port, mqtt_topic="car/reads")
    for uid in ("a", "b"):
        with mqtt_broker(port), ExitStack() as stack:
            with held(path, office):  # until somebody listens: nothing is retained
                live(store, uid)
                heard = stack.enter_context(listening(port))
            messages = heard.wait_for(3)
        assert [topic for topic, _ in messages] == ["car/reads/new", "car/reads/update", "car/reads/end"]
        assert kinds([event for _, event in messages], uid) == ["new", "update", "end"]
    office.close(5)
    assert store.events()[1] == 0
    store.close()


def test_what_waits_at_the_end_still_goes_if_somebody_takes_it(tmp_path: Path) -> None:
    with web_server(Inbox()) as inbox:
        store, office = opened(tmp_path / "reads.db", webhooks=[inbox.url])
        live(store, "a")
        office.close(20)
        assert kinds(inbox.events, "a") == ["new", "update", "end"]
        store.close()


def test_nobody_who_takes_events_holds_up_the_end(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        store, office = opened(tmp_path / "reads.db", webhooks=[url], timeout_s=3000)
        live(store, "a")
        silent.accept()  # the first event is on its way, and no answer comes
        office.close(0.1)
    assert store.events() == (3, 0)
    store.close()


class Forgetful:
    """A receiver that takes events, and says of the first that it has not."""

    name = "forgetful"
    shown_name = "the forgetful one"
    batch = 2

    def __init__(self) -> None:
        self.inbox = Inbox()
        self.lost = 1

    def deliver(self, events: Sequence[QueuedEvent]) -> int:
        with self.inbox.condition:
            self.inbox.events += [{"id": event.key} for event in events]
            self.inbox.condition.notify_all()
        if self.lost:
            self.lost -= 1
            raise DeliveryError("the answer was lost")
        return len(events)

    def close(self) -> None:
        pass


def test_an_event_whose_delivery_is_uncertain_comes_again_under_its_key(tmp_path: Path) -> None:
    path = tmp_path / "reads.db"
    receiver = Forgetful()
    office = open_office(EventSettings(), path)
    mailing = replace(office.mailing, receivers=("forgetful",))
    courier = Courier(path, receiver, max_pause_s=0.1)
    store = SqliteReads(path, mailing=mailing, on_events=courier.wake)
    store.save(replace(read("a"), ended=True))
    courier.start()
    events = receiver.inbox.wait_for(4)
    courier.close(5)
    store.close()
    assert [event["id"] for event in events] == ["a:1:new", "a:1:end"] * 2


def test_of_two_processes_one_delivers(tmp_path: Path) -> None:
    path = tmp_path / "reads.db"
    with web_server(Inbox()) as inbox:
        first, first_office = opened(path, webhooks=[inbox.url])
        second, second_office = opened(path, webhooks=[inbox.url])
        for n in range(5):
            live(first, f"f{n}")
            live(second, f"s{n}")
        events = inbox.wait_for(30)
        for office in (first_office, second_office):
            office.close(5)
        first.close()
        second.close()
    assert len({event["id"] for event in events}) == len(events) == 30
    for n in range(5):
        assert kinds(events, f"f{n}") == kinds(events, f"s{n}") == ["new", "update", "end"]


def test_a_courier_without_a_file_waits_and_ends(tmp_path: Path) -> None:
    courier = Courier(tmp_path / "none" / "reads.db", Forgetful(), max_pause_s=0.05)
    courier.start()
    courier.wake()
    courier.close(5)
    assert not courier._thread.is_alive()


def test_settings_that_name_missing_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "reads.db"
    for key in ("webhook_secret_file", "mqtt_password_file", "ca_file"):
        settings = EventSettings.model_validate({key: tmp_path / "none", "mqtt_host": "h"})
        with pytest.raises(ConfigError, match=key):
            open_office(settings, path, {})
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(ConfigError, match="empty"):
        open_office(EventSettings(webhook_secret_file=tmp_path / "empty"), path)


def test_the_password_of_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    settings = EventSettings(mqtt_host="h", mqtt_user="me", mqtt_password_file=tmp_path / "none")
    office = open_office(settings, tmp_path / "reads.db", {"DASHCAM_MQTT_PASSWORD": "x"})
    assert len(office.mailing.receivers) == 1
