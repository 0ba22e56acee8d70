import Foundation

/// Where the names of points are written, so that they cover neither each other nor a point. All lengths in pixels, y upwards.
package struct LabelPlacement {
  /// A rectangle by its middle.
  package struct Box: Sendable, Hashable {
    package var x: Double, y: Double, width: Double, height: Double

    package init(x: Double, y: Double, width: Double, height: Double) {
      (self.x, self.y, self.width, self.height) = (x, y, width, height)
    }

    /// The area that both cover.
    package func overlap(_ other: Box) -> Double {
      let across = min(x + width / 2, other.x + other.width / 2) - max(x - width / 2, other.x - other.width / 2)
      let along = min(y + height / 2, other.y + other.height / 2) - max(y - height / 2, other.y - other.height / 2)
      return max(0, across) * max(0, along)
    }

    /// The place in the box that is nearest to (x, y).
    func nearest(to place: (x: Double, y: Double)) -> (x: Double, y: Double) {
      (min(max(place.x, x - width / 2), x + width / 2), min(max(place.y, y - height / 2), y + height / 2))
    }
  }

  /// One box a name, in the order of `points`.
  package let boxes: [Box]

  private typealias Candidate = (box: Box, cost: Double)

  /// Half the side of a point's symbol with some air.
  static let reach = 7.0

  /// Each name in turn takes the cheapest of the places around its point, the names around it being where they are, until nothing moves
  /// any more. Covering a name or a symbol costs most, a bar less, distance little. No chance is involved: equal input, equal places.
  ///
  /// Cost: O(n²) for each sweep over n names.
  package init(
    points: [(x: Double, y: Double)], sizes: [(width: Double, height: Double)], bars: [Box] = [],
    inside frame: (width: Double, height: Double)
  ) {
    precondition(points.count == sizes.count, "\(points.count) points, \(sizes.count) sizes")
    let symbols = points.map { Box(x: $0.x, y: $0.y, width: 2 * LabelPlacement.reach, height: 2 * LabelPlacement.reach) }
    let whole = Box(x: frame.width / 2, y: frame.height / 2, width: frame.width, height: frame.height)
    let candidates = points.indices.map { LabelPlacement.candidates(around: points[$0], sizes[$0]) }
    /// What a place costs whatever the other names do.
    let fixed = points.indices.map { i in
      candidates[i].map { box, cost in
        let area = box.width * box.height
        return cost + LabelPlacement.fine(area - box.overlap(whole))
          + symbols.reduce(0) { $0 + LabelPlacement.fine(box.overlap($1)) }
          + 2 * bars.reduce(0) { $0 + box.overlap($1) }
      }
    }
    var chosen = points.indices.map { i in fixed[i].indices.min { fixed[i][$0] < fixed[i][$1] }! }
    for _ in 0..<30 {
      var isSettled = true
      for i in points.indices {
        func cost(_ k: Int) -> Double {
          points.indices.reduce(fixed[i][k]) {
            $1 == i ? $0 : $0 + LabelPlacement.fine(candidates[i][k].box.overlap(candidates[$1][chosen[$1]].box))
          }
        }
        let costs = candidates[i].indices.map(cost), best = costs.indices.min { costs[$0] < costs[$1] }!
        if costs[best] < costs[chosen[i]] { (chosen[i], isSettled) = (best, false) }
      }
      if isSettled { break }
    }
    boxes = points.indices.map { candidates[$0][chosen[$0]].box }
  }

  /// What it costs to cover `area` of what must be read, or to leave the frame by as much: any at all is worse than the farthest place.
  private static func fine(_ area: Double) -> Double { area > 1e-9 ? 300 + 10 * area : 0 }

  /// Sixteen directions, to the right first, at growing distances.
  private static func candidates(around point: (x: Double, y: Double), _ size: (width: Double, height: Double)) -> [Candidate] {
    [0.0, 8, 18, 30, 44, 60, 80].flatMap { gap in
      (0..<16).map { k in
        // Right, a little up, a little down, and so on round to the left.
        let angle = Double((k + 1) / 2) * (k % 2 == 0 ? -1 : 1) * .pi / 8, across = cos(angle), up = sin(angle)
        let box = Box(
          x: point.x + across * (reach + gap + size.width / 2), y: point.y + up * (reach + gap + size.height / 2),
          width: size.width, height: size.height)
        return (box, 3 * gap + Double(k))
      }
    }
  }
}
