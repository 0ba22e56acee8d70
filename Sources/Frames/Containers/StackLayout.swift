import Tensors

/// How the array of a file divides into events.
enum StackLayout {
  /// The shapes with which one event's CSPAD images are stored: they are no stacks, whatever their rank.
  static let wholeImages: [Shape] = [
    [32, 185, 388], [4, 8, 185, 388], [185, 388, 2], [2, 185, 388], [64, 185, 194],
  ]

  /// Whether the first axis counts events: from three axes on, but for one CSPAD image.
  static func isStack(_ shape: Shape) -> Bool { shape.rank >= 3 && !wholeImages.contains(shape) }

  /// How many events an array of this shape holds.
  static func eventCount(_ shape: Shape) -> Int { isStack(shape) ? shape[0] : 1 }

  /// What one event holds.
  static func eventShape(_ shape: Shape) -> Shape { isStack(shape) ? Shape(Array(shape.extents.dropFirst())) : shape }
}
