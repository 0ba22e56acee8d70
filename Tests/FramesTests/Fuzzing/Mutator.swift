import Tensors

/// Damages files the way disks, networks and attackers do. Mutant n of a seed is always the same.
struct Mutator {
  let seed: UInt64

  /// Mutant `number` of `original`; pieces of `donors` may be spliced into it. One to four changes.
  func mutant(_ number: Int, of original: [UInt8], donors: [[UInt8]]) -> [UInt8] {
    var random = Philox(seed: seed, UInt64(number))
    var bytes = original
    for _ in 0..<1 + random.next() % 4 { Self.change(&bytes, donors, &random) }
    return bytes
  }

  private static func below(_ count: Int, _ random: inout Philox) -> Int { count < 1 ? 0 : Int(random.next() % UInt64(count)) }

  private static func change(_ bytes: inout [UInt8], _ donors: [[UInt8]], _ random: inout Philox) {
    guard !bytes.isEmpty else {
      bytes = [UInt8(truncatingIfNeeded: random.next())]
      return
    }
    switch below(8, &random) {
    case 0: for _ in 0..<1 + below(8, &random) { bytes[below(bytes.count, &random)] ^= 1 << UInt8(below(8, &random)) }
    case 1:
      for _ in 0..<1 + below(4, &random) {
        bytes[below(bytes.count, &random)] = [0, 0xFF, 0x7F, 0x80, 0x20, 0x30, UInt8(truncatingIfNeeded: random.next())][below(7, &random)]
      }
    case 2: bytes.removeLast(1 + below(bytes.count, &random))
    case 3: setLength(&bytes, &random)
    case 4: setLength(&bytes, &random)
    case 5: splice(&bytes, donors.isEmpty ? bytes : donors[below(donors.count, &random)], &random)
    case 6:
      let start = below(bytes.count, &random)
      bytes.removeSubrange(start..<min(bytes.count, start + 1 + below(64, &random)))
    default:
      let start = below(bytes.count, &random), end = min(bytes.count, start + 1 + below(256, &random))
      let piece = bytes[start..<end]
      for _ in 0..<1 + below(8, &random) { bytes.insert(contentsOf: piece, at: start) }
    }
  }

  /// Overwrites a field that could be a length, near what it was or at the ends of its range.
  private static func setLength(_ bytes: inout [UInt8], _ random: inout Philox) {
    let size = [1, 2, 4, 8][below(4, &random)]
    guard bytes.count >= size else { return }
    let places = (bytes.count - size) / size + 1
    // Headers come first: half of all changes are there.
    let place = size * below(random.next() % 2 == 0 ? min(places, 256) : places, &random)
    var old: UInt64 = 0
    for i in 0..<size { old |= UInt64(bytes[place + i]) << UInt64(8 * i) }
    let top = size == 8 ? UInt64.max : 1 << UInt64(8 * size) - 1
    let new: [UInt64] = [
      0, 1, top, top >> 1, top >> 1 + 1, old &+ 1, old &- 1, old &* 2, old &+ 4, UInt64(bytes.count), UInt64(bytes.count - place), random.next(),
      1 << 31, 1 << 20,
    ]
    let value = new[below(new.count, &random)]
    let isBig = random.next() % 4 == 0
    for i in 0..<size { bytes[place + (isBig ? size - 1 - i : i)] = UInt8(truncatingIfNeeded: value >> UInt64(8 * i)) }
  }

  /// Puts a piece of `donor` over or into the bytes.
  private static func splice(_ bytes: inout [UInt8], _ donor: [UInt8], _ random: inout Philox) {
    guard !donor.isEmpty else { return }
    let from = below(donor.count, &random), piece = donor[from..<min(donor.count, from + 1 + below(512, &random))]
    let place = below(bytes.count, &random)
    if random.next() % 2 == 0 {
      bytes.insert(contentsOf: piece, at: place)
    } else {
      bytes.replaceSubrange(place..<min(bytes.count, place + piece.count), with: piece)
    }
  }
}
