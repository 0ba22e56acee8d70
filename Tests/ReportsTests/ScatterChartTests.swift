import Foundation
import Host
import Reports
import Tensors
import Testing

private let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
private let installed = (try? Gnuplot(searching: path)) != nil

/// Twenty names of the usual lengths, half of their points in one cloud.
@Test(arguments: 1...6) func namesCoverNeitherEachOtherNorAPoint(seed: UInt64) {
  var random = Philox(seed: seed)
  let points = (0..<20).map { i -> (x: Double, y: Double) in
    i < 10
      ? (x: 350 + random.normal(0, 40), y: 200 + random.normal(0, 30)) : (x: random.uniform(10, 690), y: random.uniform(10, 390))
  }
  let sizes = points.indices.map { (width: 30 + 5 * Double($0), height: 14.0) }
  let boxes = LabelPlacement(points: points, sizes: sizes, inside: (700, 400)).boxes
  #expect(boxes == LabelPlacement(points: points, sizes: sizes, inside: (700, 400)).boxes)
  for (i, box) in boxes.enumerated() {
    #expect(box.width == sizes[i].width && box.height == sizes[i].height)
    #expect(
      (0...700).contains(box.x - box.width / 2) && (0...700).contains(box.x + box.width / 2), "name \(i) leaves the frame: \(box)")
    #expect(
      (0...400).contains(box.y - box.height / 2) && (0...400).contains(box.y + box.height / 2), "name \(i) leaves the frame: \(box)"
    )
    for j in points.indices {
      let dot = LabelPlacement.Box(x: points[j].x, y: points[j].y, width: 8, height: 8)
      #expect(box.overlap(dot) == 0, "name \(i) covers point \(j)")
      if j > i { #expect(box.overlap(boxes[j]) == 0, "names \(i) and \(j) cover each other") }
    }
  }
}

@Test func boxesOverlapByTheAreaThatBothCover() {
  let box = LabelPlacement.Box(x: 0, y: 0, width: 4, height: 2)
  #expect(box.overlap(.init(x: 3, y: 1, width: 4, height: 2)) == 1 && box.overlap(.init(x: 4, y: 0, width: 4, height: 2)) == 0)
  #expect(box.overlap(box) == 8)
}

@Test(.enabled(if: installed, "gnuplot is not installed")) func pointsStandWhereTheirNumbersSay() throws {
  // On axes of 0...4 and 0...2, (1, 0.5), (2, 1) and (3, 1.5) are evenly spaced on the diagonal.
  let chart = ScatterChart(
    "t", x: Axis("x", range: 0...4), y: Axis("y", range: 0...2),
    series: [
      .init("s", [.init("first", x: 1, y: 0.5, xError: 0.2, yError: 0.1), .init("second", x: 2, y: 1)]),
      .init("o", [.init("third", x: 3, y: 1.5, isHollow: true)]),
    ],
    reference: ("line", 0))
  let svg = try Gnuplot(searching: path).svg(chart)
  let marks = svg.split(separator: "\n").filter { $0.contains("<use ") && $0.contains("translate(") }.compactMap {
    line -> (x: Double, y: Double)? in
    let numbers = line.components(separatedBy: "translate(")[1].prefix { $0 != ")" }.split(separator: ",").compactMap { Double($0) }
    return numbers.count == 2 ? (numbers[0], numbers[1]) : nil
  }
  // Two marks more stand in the key, below all others.
  let drawn = marks.sorted { $0.y < $1.y }.prefix(3).sorted { $0.x < $1.x }
  #expect(marks.count == 5 && drawn.count == 3, "\(marks)")
  #expect(
    abs(drawn[1].x - drawn[0].x - (drawn[2].x - drawn[1].x)) < 0.5 && abs(drawn[1].y - drawn[0].y - (drawn[2].y - drawn[1].y)) < 0.5
  )
  #expect(drawn[0].y > drawn[2].y && drawn[2].x - drawn[0].x > 200)
  for name in ["first", "second", "third", "line"] { #expect(svg.contains(">\(name)<"), "\(name)") }
}

@Test func whatHasNoPlaceIsNotDrawn() {
  for points in [[], [ScatterChart.Point("a", x: .nan, y: 1)], [.init("a", x: 1, y: 1, yError: .infinity)]] {
    #expect(throws: InputError.self) { try ScatterChart("t", x: Axis("x"), y: Axis("y"), series: [.init("s", points)]).script() }
  }
}
