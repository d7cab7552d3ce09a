"""Other people's bytes and texts as values: nothing here waits or knows an object. No door opens here."""
