"""The assembly: store, API server, manager, controllers and operators in one process."""
