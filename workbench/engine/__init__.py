"""Steps systems in their own thread, records what happens, evaluates test sets. No Qt."""
