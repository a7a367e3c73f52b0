"""The addresses of the ground floor."""

from django.urls import path

from accounts.views import feed, founding, invitations, members, settings, start, theme, tokens

of_nobody = [
    path("", start.start, name="start"),
    path("up", start.up, name="up"),
    path("theme/", theme.theme, name="theme"),
    path("accounts/signup/", founding.sign_up, name="account_signup"),
    path("accounts/profile/", settings.profile, name="profile"),
    path("businesses/new/", founding.found, name="found"),
    path("invitations/<str:secret>/", invitations.invitation, name="invitation"),
    path("invitations/<str:secret>/accept/", invitations.accept, name="invitation_accept"),
]

of_a_business = [
    path("feed/", feed.feed, name="feed"),
    path("settings/", settings.settings, name="settings"),
    path("members/", members.members, name="members"),
    path("members/invite/", members.invite, name="member_invite"),
    path("members/leave/", members.leave, name="member_leave"),
    path("members/<uuid:member>/role/", members.change_role, name="member_role"),
    path("members/<uuid:member>/remove/", members.remove, name="member_remove"),
    path("members/invitations/<uuid:invitation>/send/", members.send_again, name="invitation_send"),
    path("members/invitations/<uuid:invitation>/withdraw/", members.withdraw, name="invitation_withdraw"),
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/create/", tokens.create, name="token_create"),
    path("tokens/<uuid:token>/revoke/", tokens.revoke, name="token_revoke"),
]
