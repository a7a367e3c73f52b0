"""Files on cards; their bytes lie in the database, in a table of their own.

So a backup of the database is everything, a row and its bytes come together or not at all, and several web machines
need no shared disk. Nobody reads the bytes but whoever downloads a file.
"""

import unicodedata
import uuid
from pathlib import PurePath

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Sum
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Business
from accounts.policy import MANAGER, RANK
from accounts.verbs import refusal, verb
from boards.models.card import Card

MOST_FILES = 100  # on a card
LONGEST_NAME = 150
MEGABYTE = 1024 * 1024
TURNING = dict.fromkeys(
    [0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
)  # make fdp.exe look like exe.pdf
PLAIN = "application/octet-stream"  # what a browser only saves
# What a browser may be told to open once it is saved; nothing that could act in the name of our pages.
TYPES = {
    ".csv": "text/csv",
    ".gif": "image/gif",
    ".heic": "image/heic",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".mp4": "video/mp4",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".txt": "text/plain",
    ".webp": "image/webp",
}


class ContentQuerySet(models.QuerySet):
    """Reads and forgets contents."""

    def total(self) -> int:
        """Return how many bytes they are together."""
        return self.aggregate(total=Sum("size"))["total"] or 0

    def unused(self):
        """Return those that lie on no card and came with no form that somebody sent."""
        return self.filter(attachments=None, submitted=None)

    def forget_unused(self) -> None:
        """Delete those that no file has any more."""
        self.unused().defer("data").delete()


class Content(models.Model):
    """The bytes of a file; files on several cards may share them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="contents")
    size = models.PositiveIntegerField("size in bytes")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    data = models.BinaryField()  # the last column: what stands before it is read without it

    objects = ContentQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["business", "size"], name="content_sizes")]

    def __str__(self):
        return f"{self.size} bytes"

    @classmethod
    def keep_all(cls, business_id, files) -> list[tuple[str, "Content"]]:
        """Keep files (each with name, size and read()); return them as (name, content), all or none.

        The business stays locked, so that two who come at once cannot both take the last room.
        Raises ValidationError for an empty file, one that is too large, and a business without room.
        """
        for file in files:
            if not file.size:
                raise refusal("files", f"{file.name} is empty.", "empty")
            if file.size > settings.FILE_MEGABYTES * MEGABYTE:
                most = f"A file may have at most {settings.FILE_MEGABYTES} MB"
                raise refusal("files", f"{most}; {file.name} has {file.size / MEGABYTE:.1f}.", "too_large")
        Business.objects.select_for_update(no_key=True).get(pk=business_id)
        room = settings.FILES_MEGABYTES * MEGABYTE - cls.objects.filter(business=business_id).total()
        if sum(file.size for file in files) > room:
            said = f"There is no room for it: the files of a business may have {settings.FILES_MEGABYTES} MB together."
            raise refusal("files", f"{said} Delete some that are not needed any more.", "no_room")
        kept = [cls(business_id=business_id, size=file.size, data=file.read()) for file in files]
        for content in kept:  # one by one: together they could be more than a statement may hold
            content.save(force_insert=True)
        return [(clean_name(file.name), content) for file, content in zip(files, kept, strict=True)]


class AttachmentQuerySet(models.QuerySet):
    """Reads files."""

    def for_list(self):
        """Return files with what a line about them shows, without their bytes."""
        return self.select_related("content").defer("content__data")

    def as_kept(self):
        """Return files as `Attachment.carry` takes them."""
        return [(file.name, file.content) for file in self.for_list()]


class Attachment(models.Model):
    """A file on a card; only whoever attached it, or a manager, deletes it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="+")
    card = models.ForeignKey(Card, models.CASCADE, related_name="attachments")
    content = models.ForeignKey(Content, models.RESTRICT, related_name="attachments")
    name = models.CharField(max_length=LONGEST_NAME)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    author_name = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        verbose_name = "file"
        ordering = ["created_at", "id"]

    def __str__(self):
        return self.name

    @classmethod
    @verb("card.attach")
    def attach(cls, card, files, *, by: Actor):
        """Put files (each with name, size and read()) on a card, all or none; return them.

        Raises ValidationError for no file, one that is empty or too large, too many on the card and too much in all.
        """
        card.lock_row()
        files = list(files)
        if not files:
            raise refusal("files", "Choose a file first.", "required")
        _refuse_too_many(card, len(files))
        return [cls._put(card, name, content, by) for name, content in Content.keep_all(card.business_id, files)]

    @classmethod
    @verb("card.attach")
    def carry(cls, card, files, *, by: Actor):
        """Put files that are kept already, (name, content), on a card too; their bytes are shared, not copied."""
        card.lock_row()
        files = list(files)
        _refuse_too_many(card, len(files))
        return [cls._put(card, name, content, by) for name, content in files]

    @verb("attachment.delete")
    def remove(self, *, by: Actor):
        """Take the file off its card; its bytes go when no other card has it."""
        if not self.is_removable_by(by):
            raise ValidationError("Only who attached a file or a manager may delete it.", code="not_author")
        self.card.lock_row()
        self.refresh_from_db(fields=["name"])
        self._count(-1)
        self.card.record("card.attachment_deleted", by, attachment=str(self.pk), file=self.name)
        self.delete()
        Content.objects.filter(pk=self.content_id).forget_unused()

    @property
    def type(self) -> str:
        """Return what it is sent as."""
        return type_of(self.name)

    def is_removable_by(self, by: Actor) -> bool:
        """Answer whether this actor attached it or stands above."""
        own = by.user_id is not None and by.user_id == self.author_id
        return own or by.kind != "member" or RANK.get(by.role, 0) >= RANK[MANAGER]

    @classmethod
    def _put(cls, card, name: str, content: Content, by: Actor):
        file = cls(business_id=card.business_id, card=card, content=content, name=name)
        file.author_id, file.author_name = by.user_id, by.name[:200]
        file.save(force_insert=True)
        file._count(1)
        card.record("card.attached", by, attachment=str(file.pk), file=name, size=content.size)
        return file

    def _count(self, files: int) -> None:
        Card.objects.filter(pk=self.card_id).update(file_count=F("file_count") + files)
        self.card.file_count += files


def _refuse_too_many(card, more: int) -> None:
    if card.file_count + more > MOST_FILES:
        raise refusal("files", f"A card holds at most {MOST_FILES} files.", "too_many")


def type_of(name: str) -> str:
    """Return what a file is sent as: known by its name, never by what was said when it came."""
    return TYPES.get(PurePath(name).suffix.lower(), PLAIN)


def clean_name(name: str) -> str:
    """Return a file's name on one line, without folders and without signs that would turn it round."""
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    name = "".join(sign for sign in name if unicodedata.category(sign) not in ("Cc", "Cs", "Zl", "Zp"))
    name = " ".join(name.translate(TURNING).split()).strip(". ") or "file"
    suffix = PurePath(name).suffix[:20]
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - len(suffix)] + suffix
