"""The addresses of boards and cards."""

from django.urls import path

from boards.views import archive, board, cards, design, home, live, moving, people, workflows

urlpatterns = [
    path("", home.home, name="home"),
    # Workflows and their design
    path("workflows/", workflows.workflows, name="workflows"),
    path("workflows/new/", workflows.new, name="workflow_new"),
    path("workflows/<slug:workflow>/", design.settings, name="workflow_settings"),
    path("workflows/<slug:workflow>/update/", design.update, name="workflow_update"),
    path("workflows/<slug:workflow>/archive/", workflows.archive, name="workflow_archive"),
    path("workflows/<slug:workflow>/restore/", workflows.restore, name="workflow_restore"),
    path("workflows/<slug:workflow>/delete/", workflows.delete, name="workflow_delete"),
    path("workflows/<slug:workflow>/phases/add/", design.add_phase, name="phase_add"),
    path("workflows/<slug:workflow>/phases/move/", design.move_phase, name="phase_move"),
    path("workflows/<slug:workflow>/phases/<uuid:phase>/update/", design.update_phase, name="phase_update"),
    path("workflows/<slug:workflow>/phases/<uuid:phase>/delete/", design.delete_phase, name="phase_delete"),
    path("workflows/<slug:workflow>/labels/add/", design.add_label, name="label_add"),
    path("workflows/<slug:workflow>/labels/<uuid:label>/update/", design.update_label, name="label_update"),
    path("workflows/<slug:workflow>/labels/<uuid:label>/delete/", design.delete_label, name="label_delete"),
    # The archive
    path("boards/<slug:workflow>/archive/", archive.archive, name="archive"),
    path("boards/<slug:workflow>/archive/restore/", archive.restore, name="archive_restore"),
    path("boards/<slug:workflow>/archive/<int:number>/delete/", archive.delete, name="archive_delete"),
    # The board
    path("boards/<slug:workflow>/", board.board, name="board"),
    path("boards/<slug:workflow>/fold/", board.fold, name="fold"),
    path("boards/<slug:workflow>/fresh/", board.fresh, name="fresh"),
    path("boards/<slug:workflow>/phases/<uuid:phase>/", board.column, name="column"),
    path("boards/<slug:workflow>/phases/<uuid:phase>/add/", moving.add, name="card_add"),
    path("cards/<int:number>/move/", moving.move, name="card_move"),
    path("cards/<int:number>/menu/", moving.menu, name="card_menu"),
    # The card
    path("cards/<int:number>/", cards.card, name="card"),
    path("cards/<int:number>/older/", cards.older, name="card_older"),
    path("cards/<int:number>/update/<slug:part>/", cards.update, name="card_update"),
    path("cards/<int:number>/assign/", cards.assign, name="card_assign"),
    path("cards/<int:number>/labels/add/", cards.add_label, name="card_add_label"),
    path("cards/<int:number>/labels/remove/", cards.remove_label, name="card_remove_label"),
    path("cards/<int:number>/labels/create/", cards.create_label, name="label_create"),
    path("cards/<int:number>/labels/<uuid:label>/update/", cards.update_label, name="card_label_update"),
    path("cards/<int:number>/items/add/", cards.add_items, name="card_add_item"),
    path("cards/<int:number>/items/<uuid:item>/tick/", cards.tick_item, name="card_tick_item"),
    path("cards/<int:number>/items/<uuid:item>/rename/", cards.rename_item, name="card_rename_item"),
    path("cards/<int:number>/items/<uuid:item>/remove/", cards.remove_item, name="card_remove_item"),
    path("cards/<int:number>/comments/write/", cards.comment, name="card_comment"),
    path("cards/<int:number>/comments/<uuid:comment>/update/", cards.update_comment, name="comment_update"),
    path("cards/<int:number>/comments/<uuid:comment>/delete/", cards.delete_comment, name="comment_delete"),
    path("cards/<int:number>/archive/", cards.archive, name="card_archive"),
    path("cards/<int:number>/restore/", cards.restore, name="card_restore"),
    # What colleagues change, as it happens: config/asgi.py serves the first as a stream
    path("live/<uuid:workflow>/", live.live, name="live"),
    path("live/<uuid:workflow>/once/", live.live, name="live_once"),
    path("undo/<int:sequence>/", moving.take_back, name="undo"),
    # Contacts, with what is done for them
    path("contacts/", people.contacts, name="contacts"),
    path("contacts/<uuid:pk>/", people.contact, name="contact"),
    path("contacts/<uuid:pk>/card/", people.card_for, name="contact_card"),
]
