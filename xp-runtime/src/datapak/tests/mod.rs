mod columns;
mod frames;
mod hostile;
mod typed;
mod vectors;

/// The bytes of a hexadecimal text; spaces do not count.
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<char> = text.chars().filter(|c| *c != ' ').collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap())
        .collect()
}
