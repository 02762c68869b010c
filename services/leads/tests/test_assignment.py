"""Who gets a lead, and why."""

from dataclasses import replace

from services.leads.domain.assignment import Candidate, Choice, Considered, choose

li = Candidate(seller_id="li", store_ids=("store-1",), brands=("Volkswagen",), on_shift=True, open_leads=3, capacity=10, assigned=9)
wang = Candidate(seller_id="wang", store_ids=("store-1",), on_shift=True, open_leads=2, capacity=5, assigned=4)


def choice(*candidates: Candidate, relationship: str | None = None) -> Choice:
    return choose(candidates, store_id="store-1", brand="Volkswagen", relationship=relationship)


def test_the_lowest_load_for_his_capacity_gets_it_and_everybody_is_listed() -> None:
    made = choice(li, wang)
    assert (made.seller_id, made.capacity, made.reason) == ("li", 10, "lowest-load")
    assert made.considered == (Considered(seller_id="li", score=300), Considered(seller_id="wang", score=400))
    assert (made.rule, made.rule_version) == ("relationship-then-load", 1)


def test_among_equals_whoever_was_given_fewer_takes_the_turn() -> None:
    assert choice(li, replace(wang, open_leads=3, capacity=10)).seller_id == "wang"
    assert choice(li, replace(li, seller_id="chen")).seller_id == "chen"


def test_an_existing_relationship_comes_first() -> None:
    made = choice(li, wang, relationship="wang")
    assert (made.seller_id, made.reason) == ("wang", "existing-relationship")


def test_a_relationship_with_somebody_who_is_off_does_not_bind() -> None:
    assert choice(li, replace(wang, on_shift=False), relationship="wang").seller_id == "li"


def test_each_condition_refuses_by_name() -> None:
    made = choice(
        replace(wang, seller_id="a", store_ids=("store-2",)),
        replace(wang, seller_id="b", brands=("Audi",)),
        replace(wang, seller_id="c", on_shift=False),
        replace(wang, seller_id="d", absent=True),
        replace(wang, seller_id="e", open_leads=5),
    )
    assert made.seller_id is None
    assert made.reason == "nobody-eligible"
    assert [one.refused for one in made.considered] == [
        ("other-store",),
        ("other-brand",),
        ("not-on-shift",),
        ("absent",),
        ("at-capacity",),
    ]


def test_where_no_shifts_are_planned_everybody_counts_as_present() -> None:
    assert choice(replace(li, on_shift=None)).seller_id == "li"


def test_product_lines_compare_without_case_and_an_unknown_brand_suits_all() -> None:
    assert choose((replace(li, brands=("VOLKSWAGEN",)),), store_id="store-1", brand="volkswagen", relationship=None).seller_id == "li"
    assert choose((li,), store_id="store-1", brand="", relationship=None).seller_id == "li"


def test_without_candidates_the_reason_says_so() -> None:
    assert choice().reason == "no-candidates"


def test_ten_leads_in_a_row_are_shared_by_weight() -> None:
    sellers = [replace(li, open_leads=0, capacity=20, assigned=0), replace(wang, open_leads=0, capacity=10, assigned=0)]
    given = {"li": 0, "wang": 0}
    for _ in range(12):
        chosen = choice(*sellers).seller_id
        assert chosen is not None
        given[chosen] += 1
        sellers = [
            replace(one, open_leads=one.open_leads + 1, assigned=one.assigned + 1) if one.seller_id == chosen else one for one in sellers
        ]
    assert given == {"li": 8, "wang": 4}
