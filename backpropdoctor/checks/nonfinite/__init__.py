"""The NaN/Inf tracer: where a non-finite value is born, what led to it, where it goes."""
