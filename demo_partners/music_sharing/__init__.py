"""TuneLoop: shares a track of its catalogue into a Palaver conversation."""
