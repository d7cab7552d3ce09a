"""What all objects share: metadata, selectors, patches, schemas, field ownership, errors. No door opens here."""
