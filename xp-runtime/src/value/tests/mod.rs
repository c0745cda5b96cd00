mod kinds;
mod members;
mod round_trip;
