import Frames
import Tensors

/// The light of each bunch on an XTCAV picture, free of background and noise.
///
/// 1. Blur by (1 4 6 4 1)/16 both ways. 2. Mean and sigma of the noise from the corner of `corner`² pixels at row 0, column 0.
/// 3. Light is what exceeds mean + `significance`·sigma; less than `smallestShare` of the picture is none. 4. Islands of light
/// (4 neighbours) by size; the first `bunches`, each at least 1/20 of the largest. 5. There, the unblurred picture minus the
/// noise's mean, negatives 0, all bunches together normalised to 1. Source: xtcav/Utils.py, parameters of xtcav/LasingOnCharacterization.py.
public struct BunchIslands: Codable, Hashable, Sendable {
  public var significance = 10.0
  public var corner = 100
  public var smallestShare = 0.001
  public var bunches = 1

  public init() {}

  public enum Problem: String, Error, Sendable {
    case noLight = "no light", wrongNumber = "wrong number of bunches", cut = "bunch cut by the border"
  }

  /// One island: its share of the light, `[rows.count, columns.count]` in the box that holds it.
  public struct Island: Sendable {
    public var rows: Range<Int>, columns: Range<Int>
    public var light: [Double]
  }

  /// The islands of `[H, W]` pixels, of high energy (high row) first. Pixels of weight 0 hold no light.
  public func islands(in image: MaskedImage) throws(Problem) -> [Island] {
    let height = image.height, width = image.width, pixels = image.pixels.elements
    let blurred = Self.blurred(pixels, height: height, width: width)
    let side = (min(corner, height), min(corner, width))
    var sum = 0.0, squares = 0.0
    for row in 0..<side.0 {
      for column in 0..<side.1 {
        let value = Double(blurred[row * width + column])
        sum += value
        squares += value * value
      }
    }
    let count = Double(side.0 * side.1), mean = sum / count, sigma = max(0, squares / count - mean * mean).squareRoot()
    let level = Float(mean + significance * sigma)
    var isLight = blurred.indices.map { blurred[$0] > level && image.weight.elements[$0] > 0 }
    guard Double(isLight.count { $0 }) >= smallestShare * Double(pixels.count) else { throw .noLight }
    let found = Self.components(&isLight, height: height, width: width).sorted { $0.count > $1.count }
    guard found.count >= bunches, 20 * found[bunches - 1].count >= found[0].count else { throw .wrongNumber }

    // The noise of unblurred pixels has the mean of blurred ones.
    var islands = found.prefix(bunches).map { members in
      let rows = members.map { $0 / width }, columns = members.map { $0 % width }
      var island = Island(rows: rows.min()!..<rows.max()! + 1, columns: columns.min()!..<columns.max()! + 1, light: [])
      island.light = [Double](repeating: 0, count: island.rows.count * island.columns.count)
      for (row, column) in zip(rows, columns) {
        let at = (row - island.rows.lowerBound) * island.columns.count + column - island.columns.lowerBound
        island.light[at] = max(0, Double(pixels[row * width + column]) - mean)
      }
      return island
    }
    let total = islands.reduce(0) { $0 + $1.light.reduce(0, +) }
    guard total > 0 else { throw .noLight }
    for i in islands.indices {
      for k in islands[i].light.indices { islands[i].light[k] /= total }
      // Light that the camera did not see cannot be accounted for.
      let box = islands[i]
      if box.columns.lowerBound == 0 || box.columns.upperBound == width || box.rows.lowerBound == 0 || box.rows.upperBound == height {
        throw .cut
      }
    }
    return islands.sorted { SliceProfile($0).centreRow > SliceProfile($1).centreRow }
  }

  /// (1 4 6 4 1)/16 along rows and columns, mirrored at the borders without repeating them.
  static func blurred(_ pixels: [Float], height: Int, width: Int) -> [Float] {
    func reflected(_ i: Int, _ n: Int) -> Int {
      if n == 1 { return 0 }
      return i < 0 ? min(-i, n - 1) : i >= n ? max(2 * n - 2 - i, 0) : i
    }
    let kernel: [Float] = [0.0625, 0.25, 0.375, 0.25, 0.0625]
    var across = [Float](repeating: 0, count: pixels.count), both = across
    for row in 0..<height {
      let start = row * width
      for column in 0..<width {
        if column >= 2 && column < width - 2 {
          let i = start + column
          across[i] = 0.0625 * (pixels[i - 2] + pixels[i + 2]) + 0.25 * (pixels[i - 1] + pixels[i + 1]) + 0.375 * pixels[i]
        } else {
          for k in 0..<5 { across[start + column] += kernel[k] * pixels[start + reflected(column + k - 2, width)] }
        }
      }
    }
    for row in 0..<height {
      let rows = (0..<5).map { reflected(row + $0 - 2, height) * width }
      for column in 0..<width {
        both[row * width + column] =
          0.0625 * (across[rows[0] + column] + across[rows[4] + column]) + 0.25 * (across[rows[1] + column] + across[rows[3] + column])
          + 0.375 * across[rows[2] + column]
      }
    }
    return both
  }

  /// The sets of true pixels that hang together by their four neighbours; clears `isSet`.
  static func components(_ isSet: inout [Bool], height: Int, width: Int) -> [[Int]] {
    var found: [[Int]] = []
    for start in isSet.indices where isSet[start] {
      var members: [Int] = [], waiting = [start]
      isSet[start] = false
      while let i = waiting.popLast() {
        members.append(i)
        let row = i / width, column = i % width
        func visit(_ next: Int) {
          guard isSet[next] else { return }
          isSet[next] = false
          waiting.append(next)
        }
        if row > 0 { visit(i - width) }
        if row < height - 1 { visit(i + width) }
        if column > 0 { visit(i - 1) }
        if column < width - 1 { visit(i + 1) }
      }
      found.append(members)
    }
    return found
  }
}

/// One bunch by columns of the picture.
public struct SliceProfile: Sendable, Hashable {
  public var columns: Range<Int>
  /// Share of the picture's light in each column.
  public var share: [Double]
  /// Mean row and standard deviation of rows in each column, px; the bunch's mean row and 0 where there is no light.
  public var row: [Double], spread: [Double]
  /// Centre of mass, px, and its standard deviation along the columns.
  public var centreColumn: Double, centreRow: Double, length: Double

  public var total: Double { share.reduce(0, +) }

  public init(_ island: BunchIslands.Island) {
    columns = island.columns
    let width = columns.count
    share = [Double](repeating: 0, count: width)
    var first = share, second = share
    for (r, row) in island.rows.enumerated() {
      for column in 0..<width {
        let light = island.light[r * width + column]
        share[column] += light
        first[column] += light * Double(row)
        second[column] += light * Double(row) * Double(row)
      }
    }
    let total = share.reduce(0, +)
    let centre = first.reduce(0, +) / total
    centreRow = centre
    let middle = zip(columns, share).reduce(0) { $0 + Double($1.0) * $1.1 } / total
    centreColumn = middle
    length = (zip(columns, share).reduce(0) { $0 + (Double($1.0) - middle) * (Double($1.0) - middle) * $1.1 } / total).squareRoot()
    row = share.indices.map { [share] in share[$0] > 0 ? first[$0] / share[$0] : centre }
    spread = share.indices.map { [share, row] in
      share[$0] > 0 ? max(0, second[$0] / share[$0] - row[$0] * row[$0]).squareRoot() : 0
    }
  }
}
