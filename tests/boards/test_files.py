"""Files on cards: attached all or none, downloaded and never opened, deleted by those who may, carried with an order."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.models import Event
from boards.models import Attachment, Card, Content, Order, OrderType
from boards.models.attachment import LONGEST_NAME, MOST_FILES
from tests.factories import actor, make_card, make_workflow

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
DRAWING = b"%PDF-1.7 a drawing"


@pytest.fixture
def card(workflow):
    return make_card(workflow.phases.first(), "Oak kitchen")


def attach(card, by, *names, data=DRAWING):
    return Attachment.attach(card, [ContentFile(data, name) for name in names or ["drawing.pdf"]], by=actor(by))


def fresh(card):
    return Card.objects.get(pk=card.pk)


def at(card, name, *args):
    return reverse(name, args=["brightside", card.number, *args])


# The verbs --------------------------------------------------------------------------------------------


def test_files_lie_on_the_card_with_their_bytes_and_the_ledger_says_so(card, staff):
    revision = card.revision
    attach(card, staff, "drawing.pdf", "photo.jpg")
    assert [(file.name, bytes(file.content.data)) for file in card.attachments.all()] == [
        ("drawing.pdf", DRAWING),
        ("photo.jpg", DRAWING),
    ]
    assert (fresh(card).file_count, fresh(card).revision) == (2, revision)
    told = [event.details["file"] for event in Event.objects.about(card).filter(name="card.attached")]
    assert told == ["photo.jpg", "drawing.pdf"]


def test_all_are_attached_or_none(card, staff):
    with pytest.raises(ValidationError, match=r"empty\.txt is empty"):
        Attachment.attach(card, [ContentFile(b"x", "a.txt"), ContentFile(b"", "empty.txt")], by=actor(staff))
    assert not Content.objects.exists()
    assert fresh(card).file_count == 0


def test_what_is_too_large_or_has_no_room_is_refused_in_words(card, staff, settings):
    settings.FILE_MEGABYTES, settings.FILES_MEGABYTES = 1, 2
    with pytest.raises(ValidationError, match=r"A file may have at most 1 MB; film\.mp4 has 1\.5"):
        attach(card, staff, "film.mp4", data=b"x" * (1024 * 1024 + 524_288))
    attach(card, staff, "one.bin", "two.bin", data=b"x" * 1024 * 1024)
    with pytest.raises(ValidationError, match="may have 2 MB together"):
        attach(card, staff, "three.bin", data=b"x")
    Attachment.objects.first().remove(by=actor(staff))
    attach(card, staff, "three.bin", data=b"x")


def test_a_card_holds_only_so_many(card, staff):
    Card.objects.filter(pk=card.pk).update(file_count=MOST_FILES)
    with pytest.raises(ValidationError, match="at most 100 files"):
        attach(card, staff)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\Ines\\plan.pdf", "plan.pdf"),
        ('a"b\r\nSet-Cookie: x=1.pdf', 'a"bSet-Cookie: x=1.pdf'),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("  ..  ", "file"),
        ("Küche 👩‍👩‍👧 ✓.jpeg", "Küche 👩‍👩‍👧 ✓.jpeg"),
        ("x" * 400 + ".pdf", "x" * (LONGEST_NAME - 4) + ".pdf"),
    ],
)
def test_a_name_is_kept_on_one_line_and_as_it_reads(card, staff, sent, kept):
    file = ContentFile(DRAWING)
    file.name = sent
    assert [one.name for one in Attachment.attach(card, [file], by=actor(staff))] == [kept]


def test_only_who_attached_it_or_a_manager_deletes_a_file(card, staff, manager, owner):
    (file,) = attach(card, owner)
    with pytest.raises(ValidationError, match="Only who attached"):
        file.remove(by=actor(staff))
    file.remove(by=actor(manager))
    assert not Content.objects.exists()
    assert fresh(card).file_count == 0
    assert Event.objects.about(card).first().name == "card.attachment_deleted"


def test_a_viewer_attaches_nothing_and_an_archived_card_takes_nothing(card, staff, viewer):
    with pytest.raises(PermissionDenied):
        attach(card, viewer)
    card.archive(by=actor(staff))
    with pytest.raises(ValidationError, match="is archived"):
        attach(card, staff)


def test_the_bytes_go_with_the_last_card_that_has_them(card, workflow, staff, owner):
    attach(card, staff)
    other = make_card(workflow.phases.first())
    Attachment.carry(other, card.attachments.as_kept(), by=actor(staff))
    assert Content.objects.count() == 1
    card.archive(by=actor(owner))
    card.delete_for_good(by=actor(owner))
    assert bytes(other.attachments.get().content.data) == DRAWING
    workflow.archive(by=actor(owner))
    workflow.delete_for_good(by=actor(owner))
    assert not Content.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_next_card_of_an_order_has_the_files_too(business, workflow, owner):
    repairs = make_workflow(business, "Repairs", "repair")
    kind = OrderType.create(business, name="Both", code="B", workflows=[workflow, repairs], by=actor(owner))
    order = Order.open(kind, name="Oak kitchen", by=actor(owner))
    first = order.cards.get()
    attach(first, owner)
    first.move(workflow.win_phase, by=actor(owner))
    second = order.cards.get(workflow=repairs)
    assert second.attachments.get().name == "drawing.pdf"
    assert Content.objects.count() == 1


# The page ---------------------------------------------------------------------------------------------


def sent(*names, data=DRAWING):
    return {"files": [SimpleUploadedFile(name, data, "text/html") for name in names]}


def test_the_panel_takes_several_files_and_lists_them(card, staff, browse):
    answer = browse(staff).post(at(card, "card_attach"), sent("drawing.pdf", "photo.jpg"), headers=HTMX)
    page = answer.content.decode()
    assert "Attached drawing.pdf and 1 more" in page
    assert 'id="card-files"' in page
    assert f'data-mark="{card.revision}.0.2.0.0"' in page, "the tile says so too"
    assert [file.name for file in card.attachments.all()] == ["drawing.pdf", "photo.jpg"]


def test_without_scripts_the_form_comes_back_to_the_card(card, staff, browse):
    answer = browse(staff).post(at(card, "card_attach"), sent("drawing.pdf"), follow=True)
    assert answer.redirect_chain == [(at(card, "card"), 302)]
    assert "drawing.pdf" in answer.content.decode()
    answer = browse(staff).post(at(card, "card_attach"), {})
    assert answer.status_code == 422
    assert "Choose a file first." in answer.content.decode()


def test_a_refusal_stands_at_the_files(card, staff, browse, settings):
    settings.FILE_MEGABYTES = 1
    answer = browse(staff).post(at(card, "card_attach"), sent("film.mp4", data=b"x" * 2 * 1024 * 1024), headers=HTMX)
    assert answer.status_code == 422
    assert "A file may have at most 1 MB; film.mp4 has 2.0." in answer.content.decode()
    assert not Content.objects.exists()


def test_a_download_is_saved_under_its_name_and_never_opened(card, staff, viewer, browse):
    (page,) = attach(card, staff, "evil “page”.html", data=b"<script>alert(1)</script>")
    answer = browse(viewer).get(at(card, "attachment", page.pk))
    assert answer.content == b"<script>alert(1)</script>"
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"] == "attachment; filename*=utf-8''evil%20%E2%80%9Cpage%E2%80%9D.html"
    (photo,) = attach(card, staff, "Photo.JPG")
    assert browse(viewer).get(at(card, "attachment", photo.pk))["Content-Type"] == "image/jpeg"


def test_a_file_is_deleted_from_the_panel(card, staff, browse):
    (file,) = attach(card, staff)
    answer = browse(staff).post(at(card, "attachment_delete", file.pk), headers=HTMX)
    assert "Deleted drawing.pdf" in answer.content.decode()
    assert not card.attachments.exists()


def test_several_files_at_once_are_one_line_of_the_history(card, staff, browse):
    attach(card, staff, "a.pdf", "b.pdf", "c.pdf")
    assert "attached c.pdf and 2 more." in browse(staff).get(at(card, "card")).content.decode()
