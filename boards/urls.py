"""The addresses of boards and cards."""

from django.urls import path

from boards.views import board, home, moving

urlpatterns = [
    path("", home.home, name="home"),
    # The board
    path("boards/<slug:workflow>/", board.board, name="board"),
    path("boards/<slug:workflow>/fold/", board.fold, name="fold"),
    path("boards/<slug:workflow>/phases/<uuid:phase>/", board.column, name="column"),
    path("boards/<slug:workflow>/phases/<uuid:phase>/add/", moving.add, name="card_add"),
    path("cards/<int:number>/move/", moving.move, name="card_move"),
    path("cards/<int:number>/menu/", moving.menu, name="card_menu"),
    path("cards/<int:number>/fresh/", moving.fresh, name="card_fresh"),
    path("undo/<int:sequence>/", moving.take_back, name="undo"),
]
