/// What tasks show of a picture.
extension PretextTask {
  /// The tasks of which it consists; itself where it is one.
  package var parts: [any PretextTask] { (self as? Multi)?.tasks.map(\.task) ?? [self] }

  /// Whether its views are whole pictures in their places, be they turned: a flip without tiles, or `symmetry`.
  package var showsWholePictures: Bool { ((self as? Flip).map { $0.tiles == 1 } ?? false) || self is WhichSymmetry }

  /// Whether it mirrors tiles one by one, by itself or as one of several.
  package var mirrorsTiles: Bool { parts.contains { ($0 as? Flip).map { $0.tiles > 1 } ?? false } }

  /// Whether each piece that it shows has mean 0 and variance 1 of its own, so that a picture of one value shows nothing.
  package var normalizesPieces: Bool { self is Jigsaw || self is PatchDirection }
}
