"""Drawing: a DataFrame onto axes. The only place that imports matplotlib; results call it lazily."""
