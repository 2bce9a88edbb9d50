"""Cars, trucks, buses and motorcycles in a picture."""
