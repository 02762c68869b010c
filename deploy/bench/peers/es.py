"""pyeventsourcing at work: `es.py append | load | project URL …`. Runs in the environment of the peers, not in ours."""

import json
import sys
import threading
import time
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner

FIELDS = {
    "dealer_id": "dealer-0001",
    "vin": "WVWZZZ1JZXW000001",
    "make": "Volkswagen",
    "model": "Golf",
    "trim": "2.0 TDI Life",
    "currency": "EUR",
    "price": "27450.00",
    "tax": "5215.50",
    "ordered_at": "2025-06-01T10:11:12.123456+00:00",
    "salesperson": "anna.schmidt",
    "options": ["sunroof", "tow-bar", "winter-pack"],
    "mileage": 12,
}
ROW = "insert into es_orders (order_id, dealer, customer, vin, status, price, version) values (%s, %s, %s, %s, 'placed', %s, 1)"


class Order(Aggregate):
    @event("Placed")
    def __init__(
        self, dealer_id, customer_id, vin, make, model, trim, currency, price, tax, ordered_at, salesperson, options, mileage
    ):  # fmt: skip
        self.customer_id, self.price = customer_id, price

    @event("PriceChanged")
    def change_price(self, price):
        self.price = price


class Orders(Application):
    name = "Orders"


class OrdersByFunction(Application):
    name = "OrdersByFunction"


class View(PostgresTrackingRecorder):
    def place(self, placed, tracking):
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            told = (placed.originator_id, placed.dealer_id, placed.customer_id, placed.vin, placed.price)
            cursor.execute(ROW, told, prepare=True)


class OrderProjection(Projection):
    def process_event(self, placed, tracking):
        self.view.place(placed, tracking)


def environment(url, functions):
    place = urlsplit(url)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": place.path[1:],
        "POSTGRES_HOST": place.hostname,
        "POSTGRES_PORT": str(place.port),
        "POSTGRES_USER": place.username,
        "POSTGRES_PASSWORD": place.password,
        "POSTGRES_POOL_SIZE": "16",
        "POSTGRES_MAX_OVERFLOW": "4",
        "POSTGRES_ENABLE_DB_FUNCTIONS": "y" if functions else "n",
        "ORIGINATOR_ID_TYPE": "uuid",
    }


def order():
    return Order(customer_id=str(uuid4()), **FIELDS)


def append(application, threads, seconds):
    latencies = [[] for _ in range(threads)]
    began = time.perf_counter()

    def work(mine):
        while (asked := time.perf_counter()) - began < seconds:
            application.save(order())
            mine.append(time.perf_counter() - asked)

    working = [threading.Thread(target=work, args=(mine,)) for mine in latencies]
    for each in working:
        each.start()
    for each in working:
        each.join()
    return [one for mine in latencies for one in mine], time.perf_counter() - began


def project(application, url, environment, many):
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("drop table if exists es_orders, orderprojection_tracking")
        connection.execute(
            "create table es_orders (order_id uuid primary key, dealer text, customer uuid, vin text, status text,"
            " price numeric(12,2), version int)"
        )
    for _ in range(max(0, many - (application.recorder.max_notification_id() or 0))):
        application.save(order())
    last = application.recorder.max_notification_id()
    cpu, began = time.process_time(), time.perf_counter()
    with ProjectionRunner(application_class=Orders, projection_class=OrderProjection, view_class=View, env=environment) as runner:
        runner.wait(last, timeout=120)
    return last, time.perf_counter() - began, time.process_time() - cpu


def main():
    what, url, many, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    settings = environment(url, what == "function")
    application = (OrdersByFunction if what == "function" else Orders)(env=settings)
    if what == "project":
        operations, took, cpu = project(application, url, settings, many)
        latencies = []
    else:
        application.save(order())
        before = time.process_time()
        latencies, took = append(application, many, seconds)
        operations, cpu = len(latencies), time.process_time() - before
    application.close()
    print(json.dumps({"operations": operations, "seconds": took, "latencies": latencies, "cpu": cpu}))


main()
