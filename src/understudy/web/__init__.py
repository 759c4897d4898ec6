"""The studio: a page on this machine on which a person is filmed, learnt and made to dance, without a command line."""
