"""The demo catalogue: four brands that do not exist, their series and sixty trims with guide prices as such cars cost in 2026."""

from typing import NamedTuple


class Model(NamedTuple):
    """A series; `trims` are names with guide prices in yuan, `sold` its share of the demand."""

    brand: str
    series: str
    powertrain: str
    sold: int
    trims: tuple[tuple[str, int], ...]


class Listed(NamedTuple):
    """One trim of the catalogue."""

    brand: str
    series: str
    powertrain: str
    year: int
    name: str
    price: int

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return f"{self.brand} {self.series} {self.year} {self.name}"


MODELS = (
    Model("Aurora 曙光", "A3", "electric", 9, (("330 活力版", 89_800), ("405 舒适版", 99_800), ("405 尊贵版", 109_800), ("480 旗舰版", 122_800))),
    Model("Aurora 曙光", "A5", "electric", 12, (("510 Pro", 169_800), ("510 Max", 189_800), ("610 Max", 209_800), ("610 四驱性能版", 239_800))),
    Model("Aurora 曙光", "A5 插混", "plug-in-hybrid", 10, (("100 Pro", 149_800), ("100 Max", 163_800), ("125 Max", 175_800), ("125 Ultra", 189_800))),
    Model("Aurora 曙光", "X7", "range-extender", 9, (("Pro 五座", 249_800), ("Max 五座", 279_800), ("Max 六座", 289_800), ("Ultra 六座", 329_800))),
    Model("Aurora 曙光", "X9", "electric", 4, (("长续航版", 359_800), ("四驱版", 399_800), ("行政版", 459_800), ("创世版", 529_800))),
    Model("Meridian 子午", "M1", "petrol", 8, (("1.5L 手动进取版", 69_900), ("1.5L CVT 舒适版", 79_900), ("1.5T 豪华版", 92_900), ("1.5T 运动版", 99_900))),
    Model("Meridian 子午", "M3", "petrol", 8, (("1.5T 先锋版", 109_900), ("1.5T 豪华版", 119_900), ("2.0T 豪华版", 136_900), ("2.0T 旗舰版", 149_900))),
    Model("Meridian 子午", "M3 混动", "hybrid", 6, (("1.5L 混动先锋版", 129_900), ("1.5L 混动豪华版", 139_900), ("2.0L 混动旗舰版", 159_900))),
    Model("Meridian 子午", "城野", "petrol", 7, (("1.5T 两驱", 119_800), ("1.5T 两驱 Plus", 131_800), ("2.0T 四驱", 159_800), ("2.0T 四驱 Plus", 172_800))),
    Model("Meridian 子午", "远行", "hybrid", 5, (("七座舒适版", 198_800), ("七座豪华版", 219_800), ("七座旗舰版", 248_800))),
    Model("Lanhai 澜海", "L6", "petrol", 5, (("2.0T 时尚型", 289_800), ("2.0T 豪华型", 319_800), ("2.0T 运动型", 338_800), ("3.0T 四驱型", 398_800))),
    Model("Lanhai 澜海", "L8", "plug-in-hybrid", 3, (("长轴距豪华型", 439_800), ("长轴距尊享型", 489_800), ("四驱行政型", 559_800))),
    Model("Lanhai 澜海", "Q5", "petrol", 4, (("40 时尚型", 368_800), ("40 豪华型", 398_800), ("45 臻选型", 438_800), ("45 尊享型", 479_800))),
    Model("Kestrel 红隼", "K2", "electric", 5, (("205 都市版", 45_800), ("301 都市版", 55_800), ("301 潮享版", 59_800), ("405 潮享版", 69_800))),
    Model("Kestrel 红隼", "K4", "electric", 7, (("410 青春版", 79_800), ("410 进阶版", 86_800), ("520 进阶版", 98_800), ("520 高阶智驾版", 109_800))),
    Model("Kestrel 红隼", "猎鹰", "range-extender", 4, (("两驱探索版", 189_800), ("四驱探索版", 209_800), ("四驱越野版", 229_800))),
)  # fmt: skip

YEAR = 2026
TRIMS = tuple(Listed(m.brand, m.series, m.powertrain, YEAR, name, price) for m in MODELS for name, price in m.trims)

SUPPLIERS = {
    "Aurora 曙光": "曙光汽车制造有限公司",
    "Meridian 子午": "子午汽车工业有限公司",
    "Lanhai 澜海": "澜海汽车（进口）有限公司",
    "Kestrel 红隼": "红隼新能源汽车有限公司",
}
WMI = {"Aurora 曙光": "LAU", "Meridian 子午": "LMD", "Lanhai 澜海": "LHY", "Kestrel 红隼": "LKS"}
